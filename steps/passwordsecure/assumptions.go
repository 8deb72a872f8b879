package passwordsecure

import "npsetup/steps/npsapi"

// Assumptions lists what this guide takes for granted, besides the calls below it.
func Assumptions() []npsapi.Assumption {
	return []npsapi.Assumption{
		{Topic: "vault session: words of its log", Text: "the seven stages are the article's; the words by which a line of the log is taken for one of them are guesses, and a log that is not understood proves nothing. Null, several entries, a seal, a refused key and a server that is not reached are told apart where a line says so; null without a reason is told as that"},
		{Topic: "vault session: null", Text: "a session whose credential is not found becomes active without a password: the article calls null no error"},
		{Topic: "vault session: who may start it", Text: "an administrator who is a user of the access policy starts sessions with the token of the console"},
		{Topic: "connector found by its settings", Text: "where connectors are not listed, one that goes to the same API URL by the same service account is taken to be the wanted one"},
		{Topic: "service account: description", Text: "it is kept as it was written: by it one API key is told from another, since none can be read back"},
		{Topic: "deleted activities with a vault", Text: "one comes back when it is written with isDeleted false"},
	}
}
