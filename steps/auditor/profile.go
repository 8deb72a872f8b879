package auditor

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	kindProfile = "connection profile"
	profileStep = "connection-profile"
)

// seenProfiles is what Look found of connection profiles.
type seenProfiles struct {
	Named, Deleted, Default *object[npsapi.Profile]

	Unlisted bool          // the server lists none
	Shown    *shownProfile // then: what policies tell of it
}

var profilesKey = steps.Key[seenProfiles]{Name: "auditor.profiles"}

// profileSetting is one line of the article's list: the answer's name, the product's label, the member of the API.
type profileSetting struct {
	name, label, field, value, help, mark string
	number                                bool
}

// Marks say why a match of label and member, or a unit, is not certain.
const (
	markThreshold = "member inferred: the only threshold in the model"
	markMonitor   = "member weakly inferred"
	markShow      = "member inferred from its name, by elimination"
	markMinutes   = "unit inferred from the user interface: minutes"
	markApproval  = "number inferred: Automatic is taken to be Allow (1)"
	noEffect      = "as the article says; without effect on Auditor's own sessions"
)

// profileTable is the article's list of 18 settings, in its order.
func profileTable() []profileSetting {
	return []profileSetting{
		{"allowProxyAutoConnect", "Allow Proxy Auto-connect", "proxyAutoConnect", "true", "Also labelled Allow Proxy Auto Connects; " + noEffect, "", false},
		{"recordProxySession", "Record Proxy Session", "record", "true", "Also labelled Record Proxy Sessions; " + noEffect, "", false},
		{"maxDuration", "Max Duration", "maxSessionLength", "60", "Minutes. Must be longer than the longest collection, or it ends with event 5801 or 5802", markMinutes, true},
		{"sessionEndNotification", "Session End Notification", "expirationTimeoutThreshold", "5", "Minutes before the end", markThreshold, true},
		{"enableSessionExtension", "Enable Session Extension", "allowSessionExtension", "false", "", "", false},
		{"monitorForLogon", "Monitor for Logon", "monitorEntireSession", "false", "", markMonitor, false},
		{"leaveExistingMembersInGroup", "Leave Existing Members in Group", "leaveInGroup", "true", "Who was in the group before stays in it", "", false},
		{"validateUsersForSSHSessions", "Validate Users for SSH Sessions", "sshScanDc", "false", "", "", false},
		{"requireNotes", "Require Notes for Sessions", "notesRequired", "false", "Auditor cannot give any", "", false},
		{"requireTicketNumber", "Require Ticket Number for Sessions", "ticketRequired", "false", "Auditor cannot give one", "", false},
		{"allowUserToAccessPassword", "Allow User to Access Password", "allowPasswordAccess", "true", "Auditor reads the password of its session", "", false},
		{"enableAutofill", "Enable credential auto-fill in browser extension", "allowAutofillPassword", "false", "", "", false},
		{"enableShowPassword", "Enable 'Show Password' option in user interface and browser extension", "allowViewPassword", "false", "", markShow, false},
		{"viewPasswordTimeout", "View Password Timeout", "viewPasswordInSeconds", "20", "Seconds", "", true},
		{"clearWebsiteDataBeforeStart", "Clear Website Data Before Start", "clearWebsiteDataBeforeStart", "true", noEffect, "", false},
		{"clearWebsiteDataAfterStop", "Clear Website Data After Stop", "clearWebsiteDataAfterStop", "true", noEffect, "", false},
		{"recordSessionAudio", "Record Session Audio", "recordAudio", "true", noEffect, "", false},
		{"approvalWorkflow", "Approval Workflow", "approvalTypeRequired", "automatic", "Automatic: no approval is needed", markApproval, false},
	}
}

const settingsPrefix = "connectionProfile.settings."

// connectionProfile is A9.
func (w World) connectionProfile() steps.Step {
	return steps.Step{
		ID: profileStep, Title: "Connection profile", Article: "Create a Connection Profile, 1-5",
		Why:    "it rules how long Auditor's sessions last and that Auditor may read their password",
		Fields: profileFields(), Look: lookProfiles, Plan: w.planProfile,
		Verify: w.verifyProfile,
	}
}

func (w World) verifyProfile(ctx context.Context, s *steps.Scene) steps.Proof {
	seen, _ := steps.Get(s, profilesKey)
	return seen.honest(nps.ProvenBy(w.planProfile, func(*steps.Scene) string {
		return fmt.Sprintf("read back: all %d settings as wanted%s; matches that are marked prove storage, not meaning", len(profileTable()), ownSettings(s.Answers))
	})(ctx, s))
}

// ownSettings tells which settings the answers want otherwise than the article.
func ownSettings(a steps.Answers) string {
	var own []string
	for _, p := range profileTable() {
		if have := a.Text(settingsPrefix + p.name); have != p.value {
			own = append(own, p.label+" "+nps.Spoken(have)+", the article has "+nps.Spoken(p.value))
		}
	}
	if len(own) == 0 {
		return ""
	}
	return " by the answers (" + strings.Join(own, "; ") + ")"
}

func profileFields() []steps.Field {
	fields := []steps.Field{{
		Key: keyProfile, Kind: steps.Text, Prompt: "Name of the connection profile", Default: "Netwrix Auditor", Example: "Netwrix Auditor",
		Help: "A name that sets it apart from the profiles that have nothing to do with this integration.",
	}}
	for _, p := range profileTable() {
		f := steps.Field{Key: settingsPrefix + p.name, Kind: steps.Switch, Prompt: p.label, Default: p.value, Help: p.help, Example: p.value}
		if p.number {
			f.Kind = steps.Number
		}
		if p.name == "approvalWorkflow" {
			f.Kind, f.Choices = steps.Choice, []steps.Option{{Value: "automatic", Title: "Automatic"}}
		}
		fields = append(fields, f)
	}
	return fields
}

// profileSettings are the wanted members by the answers, in the article's order.
func profileSettings(a steps.Answers) []setting {
	wanted := make([]setting, 0, 18)
	for _, p := range profileTable() {
		key := settingsPrefix + p.name
		switch {
		case p.name == "approvalWorkflow":
			wanted = append(wanted, nps.NumberSetting(p.label, p.field, npsapi.ApprovalAllow, "Automatic").Marked(p.mark))
		case p.number:
			st := nps.NumberSetting(p.label, p.field, a.Number(key), a.Text(key)).Marked(p.mark)
			st.Unit = "minutes"
			if strings.HasPrefix(p.help, "Seconds") {
				st.Unit = "seconds"
			}
			wanted = append(wanted, st)
		default:
			wanted = append(wanted, nps.TruthSetting(p.label, p.field, a.Switch(key)).Marked(p.mark))
		}
	}
	return wanted
}

func lookProfiles(ctx context.Context, s *steps.Scene) error {
	err := lookListedProfiles(ctx, s)
	if nps.NotListed(s, kindProfile, err) {
		err = lookProfileByPolicies(ctx, s)
	}
	if err == nil && s.Answers.Number(settingsPrefix+"maxDuration") <= 60 {
		s.Warn("Max Duration is "+s.Answers.Text(settingsPrefix+"maxDuration")+" minutes: a collection that takes longer ends with event 5801 or 5802; set connectionProfile.settings.maxDuration to more than your longest collection", problem.MaxDurationShort)
	}
	return err
}

func lookListedProfiles(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyProfile)
	found, err := nps.Find(ctx, s, npsapi.ListConnectionProfiles(), func(p npsapi.Profile) bool {
		return nps.Same(p.Name, name) || p.IsDefault && !p.IsDeleted
	})
	if err != nil {
		return err
	}
	var seen seenProfiles
	for i := range found {
		p := &found[i]
		if p.Row.IsDefault && !p.Row.IsDeleted {
			seen.Default = p
		}
	}
	named, deleted := nps.Namesakes(found, name, func(p npsapi.Profile) (string, bool) { return p.Name, p.IsDeleted })
	seen.Named, seen.Deleted = nps.Last(named), deleted
	if len(named) > 1 {
		s.Problem(nps.Several(kindProfile, name, nps.IDs(named, func(p npsapi.Profile) string { return p.ID })))
	}
	steps.Put(s, profilesKey, seen)
	observeProfiles(s, name, seen)
	return nil
}

func observeProfiles(s *steps.Scene, name string, seen seenProfiles) {
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindProfile + " " + name, State: steps.Missing, Wanted: true}
	switch {
	case seen.Named != nil:
		s.Know(kindProfile, name, seen.Named.Row.ID)
		nps.Observe(s, "profile", seen.Named.Raw)
		f.Rows, f.State = nps.Rows(seen.Named.Raw, profileSettings(s.Answers)), steps.Fits
		if len(nps.Differing(seen.Named.Raw, profileSettings(s.Answers))) > 0 {
			f.State = steps.Differing
		}
	case seen.Deleted != nil:
		nps.Observe(s, "profile", seen.Deleted.Raw)
		f.Text = "a deleted profile of that name is there and would come back"
	default:
		nps.Observe(s, "profile", nil)
		if seen.Default != nil {
			nps.Observe(s, "default", seen.Default.Raw)
		}
	}
	s.See(f)
}

func (w World) planProfile(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, profilesKey)
	name := s.Answers.Text(keyProfile)
	wanted := profileSettings(s.Answers)
	twin, err := w.page(s, profileStep)
	if err != nil {
		return nil, err
	}
	if seen.Unlisted {
		return profileByHand(s, seen, twin), nil
	}
	var a plan.Action
	switch {
	case seen.Named != nil:
		if len(nps.Differing(seen.Named.Raw, wanted)) == 0 {
			return nps.Adopted(s, profileStep, kindProfile, name), nil
		}
		a = changeProfile(plan.Update, *seen.Named, wanted)
	case seen.Deleted != nil:
		a = changeProfile(plan.Restore, *seen.Deleted, wanted)
	default:
		a = createProfile(name, seen.Default, wanted)
	}
	if seen.Named == nil {
		s.Promise(kindProfile, name, profileStep, "id")
	}
	a.Object, a.Name, a.Twin = kindProfile, name, twin
	a.Assumption = a.Ops[0].Assumed
	a.Notes = append(a.Notes, "settings that the article does not name stay as they are; an Activity Token Complexity policy may stay empty (the default policy)")
	if op, missing := nps.NotOffered(s, a.Ops[0].Call.Operation); missing {
		return []plan.Action{nps.InsteadByHand(a, op)}, nil
	}
	if a.Effect == plan.Restore {
		s.Know(kindProfile, name, seen.Deleted.Row.ID) // a person would make another one, with another id
	}
	return []plan.Action{a}, nil
}

// notCloned are the members of the default profile that belong to that row alone.
func notCloned() []string {
	return []string{"id", "createdBy", "modifiedBy", "createdDateTimeUtc", "modifiedDateTimeUtc", "nodeId", "isDefault", "isDeleted", "isUserModified"}
}

func createProfile(name string, base *object[npsapi.Profile], wanted []setting) plan.Action {
	body := plan.Object{}
	var notes []string
	kind := plan.Int(npsapi.ConfigurationConnectionProfile)
	if base != nil {
		body = nps.WithoutRowIDs(base.Raw.Without(notCloned()...))
		if v := base.Raw.Get("type"); v != nil {
			kind = v // the number that this server itself gives a connection profile
		}
		notes = append(notes, fmt.Sprintf("a copy of the profile %q with the article's settings", problem.Plain(base.Row.Name)))
		if have := nps.Member(base.Raw, "approvalTypeRequired"); have != "" && have != fmt.Sprint(npsapi.ApprovalAllow) {
			notes = append(notes, "the default profile has "+problem.Plain(have)+" for approvalTypeRequired, not 1: compare the Approval Workflow in NPS after the run")
		}
	}
	body = body.With("name", plan.String(name)).With("description", plan.String("Netwrix Auditor integration")).With("type", kind)
	body = nps.Apply(body, wanted).With("approvalWorkflowId", plan.Null())
	op := nps.CallOp("create", npsapi.CreateConnectionProfile(body))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.ListConnectionProfiles(), Member: "name", Value: name}
	return plan.Action{
		Key: profileStep, Effect: plan.Create, Difference: nps.Fresh(wanted), Ops: []plan.Op{op}, Notes: notes,
		Undo: nps.UndoOp(npsapi.DeleteConnectionProfile(plan.Ref{Action: profileStep, Output: "id", What: kindProfile + ` "` + name + `"`})),
	}
}

func changeProfile(e plan.Effect, p object[npsapi.Profile], wanted []setting) plan.Action {
	id := plan.String(p.Row.ID)
	body := nps.Apply(p.Raw, wanted)
	ds := nps.Differing(p.Raw, wanted)
	if e == plan.Restore {
		body, ds = nps.Returned(body, ds)
	}
	op := nps.CallOp("update", npsapi.UpdateConnectionProfile(id, body))
	op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.ListConnectionProfiles(), Member: "id", Value: p.Row.ID, Deleted: true}, Want: p.Raw, Volatile: nps.Volatile()}
	return plan.Action{Key: profileStep, Effect: e, Difference: ds, Ops: []plan.Op{op}, Undo: nps.UndoOp(npsapi.UpdateConnectionProfile(id, p.Raw))}
}
