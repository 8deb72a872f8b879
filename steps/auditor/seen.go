package auditor

import "npsetup/steps/nps"

// Short names for what the guides share: package nps says what each does.
type (
	object[T any] = nps.Object[T]
	setting       = nps.Setting
)
