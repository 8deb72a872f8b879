package auditor

import (
	"fmt"
	"slices"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
)

// Keys of the actions that make what Auditor does not.
const (
	keyAction         = certificateStep + "/key"
	certificateAction = certificateStep
	requestAction     = certificateStep + "/request"
	submitAction      = certificateStep + "/submit"
	authoritiesAction = certificateStep + "/authorities"
	pfxAction         = certificateStep + "/pfx"
)

// validDays is how long a certificate lasts that is made here: two years, in which its renewal is not forgotten.
const validDays = 730

// existing is the line of the article to which these roads belong: it lets Auditor generate the certificate there, and Auditor
// takes an existing one too.
const existing = "Initial Setup, 5, with Select an existing certificate"

// Rights of what is made: a key is for its owner alone.
const (
	private = 0o600
	public  = 0o644
)

// planned are those of the named actions that the plan so far has.
func planned(s *steps.Scene, keys ...string) []string {
	var list []string
	for _, a := range s.Planned() {
		if a.Changing() && slices.Contains(keys, a.Key) {
			list = append(list, a.Key)
		}
	}
	return list
}

// making is an action that makes one file.
func making(key, object, name, path string, mode uint32, m plan.Made, after ...string) plan.Action {
	op := plan.Op{ID: "make", Kind: plan.KindFile, Class: plan.Change, Repeat: plan.ByName, File: &plan.File{Path: path, Mode: mode, Make: &m}}
	return plan.Action{Key: key, Effect: plan.Create, Object: object, Name: name, Article: existing, Ops: []plan.Op{op}, After: after, Undo: []plan.Op{deleting(path, mode, object)}}
}

func deleting(path string, mode uint32, what string) plan.Op {
	return plan.Op{ID: "delete", Kind: plan.KindFile, Class: plan.Change, File: &plan.File{Path: path, Mode: mode, Source: what, Remove: true}}
}

// planCertificate plans what is not there yet of the key, the certificate and the PFX.
func (w World) planCertificate(s *steps.Scene) ([]plan.Action, error) {
	k, made := steps.Get(s, kitKey)
	if !made {
		return nil, nil
	}
	var actions []plan.Action
	var after []string
	name := s.Answers.Text(keyApplication)
	add := func(a plan.Action) {
		actions, after = append(actions, a), []string{a.Key}
	}
	if !k.key && !k.gone {
		a := making(keyAction, steps.KeyObject, k.files.key, k.files.key, private, plan.Made{What: plan.MakeKey, KeyType: s.Answers.Text(keyKeyType)})
		a.Why = "Auditor signs in with it, and the proof does too"
		a.Notes = []string{"the file has no passphrase and is for you alone: whoever has it and the API key can sign in as Auditor. Keep the folder, or delete the key when everything is proven"}
		add(a)
	}
	if roadOf(s.Answers) == roadNew {
		if !k.cer {
			add(selfSigned(name, k.files, after))
		}
	} else {
		if !k.answered {
			return w.planRequest(s, k, actions, after)
		}
		for _, a := range w.fromAnswer(s, k, name) {
			add(a)
		}
	}
	if !k.pfx && !imported(s) {
		add(packed(s, k, after))
	}
	return actions, nil
}

// selfSigned is the certificate that is made here.
func selfSigned(name string, f files, after []string) plan.Action {
	a := making(certificateAction, "client certificate", name, f.cer, public, plan.Made{What: plan.MakeSelfSigned, Name: name, Key: f.key, Days: validDays}, after...)
	a.Ops[0].Outputs = []plan.Output{{Name: plan.SerialOutput}, {Name: plan.ThumbprintOutput}, {Name: plan.SHA256Output}}
	a.Notes = []string{fmt.Sprintf("it lasts %d days; from 30 days before its end each look warns of it", validDays)}
	return a
}

// planRequest plans the request, and waits for what the authority makes of it.
func (w World) planRequest(s *steps.Scene, k kit, actions []plan.Action, after []string) ([]plan.Action, error) {
	name := s.Answers.Text(keyApplication)
	if !k.req {
		a := making(requestAction, "certificate request", k.files.req, k.files.req, public, plan.Made{What: plan.MakeRequest, Name: name, Key: k.files.key}, after...)
		a.Why = "the authority makes the certificate of it; it holds no secret"
		actions, after = append(actions, a), []string{a.Key}
	}
	m, err := w.page(s, certificateStep)
	if err != nil {
		return nil, err
	}
	m.Awaits = k.files.answer
	a := nps.ManualAction(submitAction, "certificate of the authority", "CN="+name, m, after...)
	a.Article = existing
	a.Why = "only the authority can issue it; its serial number goes into the application user"
	return append(actions, a), nil
}

// fromAnswer are the files that are made of the authority's answer, besides the PFX: for the proof, and for the NPS server.
func (w World) fromAnswer(s *steps.Scene, k kit, name string) []plan.Action {
	c, _ := steps.Get(s, certificateKey)
	from, served := k.from, w.numbered(s, c) && imported(s) // a run that was stopped may have made the user before the files
	var actions []plan.Action
	if !k.cer && !served {
		actions = append(actions, making(certificateAction, "client certificate", name, k.files.cer, public, plan.Made{What: plan.MakeCertificate, From: from, SHA256: c.SHA256}))
	}
	apart := plan.Action{Key: authoritiesAction, Effect: plan.Create, Object: "certificates of the authority", Name: "for the NPS server", Article: existing, Why: "each goes into a store of its own on the NPS server"}
	for i, a := range k.authorities {
		if a.there || served && trustSeen(s) {
			continue
		}
		op := making("", "certificate of the authority", "", a.path, public, plan.Made{What: plan.MakeCertificate, From: from, SHA256: a.sha256})
		op.Ops[0].ID, op.Undo[0].ID = fmt.Sprintf("make-%d", i), fmt.Sprintf("delete-%d", i)
		apart.Ops, apart.Undo = append(apart.Ops, op.Ops[0]), append(apart.Undo, op.Undo[0])
	}
	if len(apart.Ops) > 0 {
		actions = append(actions, apart)
	}
	return actions
}

// packed is the PFX by which key and certificate come to Auditor's server.
func packed(s *steps.Scene, k kit, after []string) plan.Action {
	c, _ := steps.Get(s, certificateKey) // its sum is empty as long as it is not made
	m := plan.Made{
		What: plan.MakePFX, Key: k.files.key, From: k.from, SHA256: c.SHA256, Encryption: s.Answers.Text(keyEncryption),
		Passphrase: &plan.SecretLeaf{Name: "passphrase of the PFX"},
	}
	a := making(pfxAction, "PFX", k.files.pfx, k.files.pfx, private, m, after...)
	a.Why = "it carries the key and the certificate to Auditor's server"
	a.Notes = []string{"it holds the private key: bring it there by a way that you trust, and delete the copy after the import"}
	return a
}
