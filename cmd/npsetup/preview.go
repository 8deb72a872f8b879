package main

import (
	"bytes"
	"fmt"
	"strings"

	"npsetup/client/trust"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// print writes a plan in the format that was asked for. raw is its document.
func (j *job) print(p plan.Plan, digest string, raw []byte) error {
	switch j.format {
	case "json":
		_, err := j.out().Write(raw)
		return err
	case "markdown":
		return j.ticket(p)
	case "curl":
		return j.script(p)
	}
	_, err := fmt.Fprintf(j.out(), "%s\ndigest %s\n", p.Text(plan.TextOptions{Calls: j.calls}), digest)
	if !j.calls && err == nil {
		_, err = fmt.Fprintln(j.talk(), j.lookAgain()+" --calls shows every request with its body")
	}
	return err
}

// lookAgain is the command that shows the same plan again.
func (j *job) lookAgain() string {
	words := []string{"npsetup plan"}
	if j.c.Name() == "undo" {
		words[0] = "npsetup undo --dry-run"
	}
	words[0] += j.placed()
	add := func(flag, value string) { words = append(words, flag+" "+plan.ShellWord(value)) }
	if j.file != "" {
		add("-f", j.file)
	}
	for _, s := range j.set {
		add("--set", s)
	}
	for _, name := range j.accept {
		add("--accept-risk", name)
	}
	return strings.Join(append(words, j.repeated...), " ")
}

// ticket prints the plan as a change ticket.
func (j *job) ticket(p plan.Plan) error {
	o := plan.MarkdownOptions{File: j.output, Risks: map[string]string{}}
	for _, r := range j.guide.Risks {
		o.Risks[r.Name] = r.Told(j.answers)
	}
	if j.link.identity != nil {
		o.Account = j.link.identity.User // with a browser's token, the answers name nobody
	}
	text, err := p.Markdown(o)
	if err == nil {
		_, err = fmt.Fprint(j.out(), text)
	}
	return err
}

// script prints the plan as a bash script, and says what it needs.
func (j *job) script(p plan.Plan) error {
	o, err := j.scriptTrust()
	if err != nil {
		return err
	}
	text, err := p.Curl(o)
	if err != nil {
		return problem.New("the plan cannot be written as a script").Because(problem.Plain(err.Error())).Try("npsetup apply carries it out").From(err)
	}
	if _, err := fmt.Fprint(j.out(), text); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(j.talk(), "the script needs bash, curl and jq, and in the environment:")
	for _, n := range p.CurlNeeds() {
		_, _ = fmt.Fprintf(j.talk(), "  %s: %s\n", n.Name, problem.Plain(n.What))
	}
	_, _ = fmt.Fprintf(j.talk(), "a token: sign in to NPS in a browser as an administrator, and take what sessionStorage.getItem('Token') answers in its console;\nit lives some minutes. Without it in the history of the shell: read -rs %[1]s; export %[1]s\n", plan.TokenVariable)
	return nil
}

// scriptTrust turns the trust answer into what curl has for it. curl cannot pin a certificate, only its public key: that of the
// very certificate which is pinned was seen during the look.
func (j *job) scriptTrust() (plan.CurlOptions, error) {
	o := plan.CurlOptions{Paged: func(id string) bool { return npsapi.Paged(plan.Call{Operation: id}) }, RowStatuses: npsapi.RowStatuses}
	choice, err := trust.ParseTrust(j.answers.Text("nps.trust"))
	if err != nil {
		return o, err
	}
	switch choice.Kind {
	case trust.Pin:
		chain := j.link.chain.Chain
		if len(chain) == 0 || chain[0].SHA256 != choice.SHA256 || j.link.leafKey == "" {
			return o, problem.New("the public key of the pinned certificate is not known").Because("the server did not present that certificate during the look").Try("run the same command again")
		}
		o.PublicKey = j.link.leafKey
	case trust.CAFile:
		o.CAFile = absolute(j.answers.Path(choice.File))
		raw, err := readLimited(o.CAFile)
		if err != nil || !bytes.Contains(raw, []byte("-----BEGIN CERTIFICATE-----")) {
			return o, problem.New("curl cannot read the authorities' file " + problem.Plain(o.CAFile)).Because("it reads PEM only, and the file is DER").
				Try("convert it with openssl x509 -inform DER -in FILE -out FILE.pem, and name that in nps.trust").Of(problem.Usage)
		}
	case trust.System:
	}
	return o, nil
}
