package npsapi

// Deleted says whether the server tells that the policy is deleted.
func (p Policy) Deleted() bool { return p.IsDeleted != nil && *p.IsDeleted }

// Disabled says whether the server tells that the policy is disabled.
func (p Policy) Disabled() bool { return p.IsDisabled != nil && *p.IsDisabled }
