package auditor

import "npsetup/steps/npsapi"

// Assumptions lists what this guide and the calls below it take for granted.
func Assumptions() []npsapi.Assumption {
	list := npsapi.Assumptions()
	for _, p := range profileTable() {
		if p.mark != "" {
			list = append(list, npsapi.Assumption{Topic: "connection profile: " + p.label + " = " + p.field, Text: p.mark})
		}
	}
	return append(list,
		npsapi.Assumption{Topic: "application user: name, displayName and samAccountName", Text: "all three get the application name: which of them the user interface fills is not documented; sign-in masks use samAccountName"},
		npsapi.Assumption{Topic: "action groups of an activity", Text: "an activity takes startActionGroupId and endActionGroupId of groups made before it; their actions are linked by pairedActionId"},
		npsapi.Assumption{Topic: "action parameters Domain and Group", Text: "they are found by the labels of the user interface; Domain takes the variable %target_domain% as the article types it"},
		npsapi.Assumption{Topic: "connection profiles that are not listed", Text: "the member activityConfiguration of an access policy is the profile's name; the profile of a session is read as it is now, not as it was when the session began"},
		npsapi.Assumption{Topic: "activities that are not listed", Text: "the candidates of any resource-based policy are all activities that it does not have, whatever their platform"},
		npsapi.Assumption{Topic: "deleted connection profiles", Text: "one comes back when it is written with isDeleted false"},
		npsapi.Assumption{Topic: "deleted activities", Text: "one comes back, with its action groups, when it is written with isDeleted false"},
	)
}
