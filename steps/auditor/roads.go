package auditor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// The roads on which Auditor's client certificate comes: Auditor makes it, it is made here, or a certificate authority issues
// it for a request that is made here.
const (
	roadAuditor = "auditor"
	roadNew     = "new"
	roadRequest = "request"
)

// roadOf is the road that the answers take.
func roadOf(a steps.Answers) string {
	if road := a.Text(keyOrigin); road == roadNew || road == roadRequest {
		return road
	}
	return roadAuditor
}

func on(roads ...string) func(steps.Answers) bool {
	return func(a steps.Answers) bool {
		for _, r := range roads {
			if roadOf(a) == r {
				return true
			}
		}
		return false
	}
}

// besideRoad says why an answer of other roads has no use on the one that is taken.
func besideRoad(roads ...string) func(steps.Answers) string {
	return func(a steps.Answers) string {
		if on(roads...)(a) {
			return ""
		}
		if roadOf(a) == roadAuditor {
			return "application.certificate names a certificate that is there"
		}
		why := "with application.certificate: " + roadOf(a)
		if slices.Contains(roads, roadRequest) {
			return why + " no authority issues the certificate"
		}
		return why + " the private key is made in application.folder, under the application's name"
	}
}

// storePrefix begins the answer that names a certificate of Windows' own store, LocalMachine\My, by its thumbprint.
const storePrefix = "store:"

func inStore(a steps.Answers) bool {
	return roadOf(a) == roadAuditor && strings.HasPrefix(a.Text(keyCertificate), storePrefix)
}

// certificateFile is where the certificate is: a file, or for people the store.
func certificateFile(a steps.Answers) string {
	if inStore(a) {
		return `LocalMachine\My`
	}
	return a.File(keyCertificate)
}

// origin asks first where the certificate comes from: the clicks in Auditor depend on it.
func (w World) origin() steps.Step {
	return steps.Step{
		ID: "certificate-origin", Title: "Origin of the certificate", Article: "Initial Setup, 5",
		Why:    "Auditor signs in to NPS with a client certificate; where it comes from decides what is to be done, and where",
		Fields: []steps.Field{originField()},
	}
}

// originField asks in words for what application.certificate holds: a path, new, or request.
func originField() steps.Field {
	return steps.Field{
		Key: keyOrigin, Kind: steps.Choice, Prompt: "Origin of the certificate", Default: roadAuditor,
		Help: "Auditor, as in the article: only Auditor has its key, and npsetup cannot prove its sign-in. Here: key, certificate and PFX are made on this machine, and the sign-in is proven from here. " +
			"Your certificate authority (recommended): a key and a request are made here; only the authority's root has to be trusted on the NPS server, which a domain member usually does already.",
		Choices: []steps.Option{
			{Value: roadAuditor, Title: "Auditor makes it", Help: "self-signed; you export it and bring it to the NPS server's Trusted Root"},
			{Value: roadNew, Title: "it is made here", Help: "self-signed; you import its PFX on Auditor's server, and the certificate into the NPS server's Trusted Root"},
			{Value: roadRequest, Title: "your authority issues it (recommended)", Help: "you hand in a request; only the authority's root has to be trusted on the NPS server"},
		},
		Stands: func(a steps.Answers) string {
			if v := a.Text(keyCertificate); v == roadNew || v == roadRequest {
				return v
			}
			return ""
		},
		Becomes: func(a steps.Answers) (string, string) {
			if road := roadOf(a); road != roadAuditor {
				return keyCertificate, road
			}
			return "", ""
		},
	}
}

// certificateFields are what each road asks.
func (w World) certificateFields() []steps.Field {
	made := on(roadNew, roadRequest)
	return []steps.Field{
		{
			Key: keyCertificate, Kind: steps.FileField, Prompt: "Auditor's client certificate", When: on(roadAuditor), Check: checkCertificateAnswer, Complete: completeFile,
			Help:        "The certificate that Auditor generated, exported without its private key (.cer, DER or Base64). In an answers file also new (made here) or request (a certificate authority issues it). On Auditor's own server, store:THUMBPRINT takes it from Windows' store, Personal of the local computer.",
			LiveChoices: w.storedChoices(),
			Example:     "file:auditor-client.cer",
		},
		{
			Key: keyPrivateKey, Kind: steps.FileField, Prompt: "Its private key", Optional: true, Beside: besideRoad(roadAuditor), When: func(a steps.Answers) bool { return roadOf(a) == roadAuditor && !inStore(a) }, Check: checkFileAnswer, Complete: completeFile,
			Help: "Only when the key exists as a file: then it is checked to belong to the certificate, and the sign-in is proven.", Example: "file:auditor-client.key",
		},
		{
			Key: keyFolder, Kind: steps.FileField, Prompt: "Folder for the key and the certificate", Default: "file:netwrix-auditor-certificate", When: made, Check: checkFileAnswer, Complete: completeFile,
			Help: "It is made if it is not there, for you alone. What lies in it is used and never overwritten. The private key in it has no passphrase: the proof signs in with it.", Example: "file:netwrix-auditor-certificate",
		},
		{
			Key: keyKeyType, Kind: steps.Choice, Prompt: "Kind of the key", Default: KeyTypes()[0], When: made, Choices: keyTypeOptions(),
			Help: "RSA is what every Windows and Auditor take for certain.", Example: KeyTypes()[0],
		},
		{
			Key: keyCAAnswer, Kind: steps.FileField, Prompt: "The authority's answer", Optional: true, Beside: besideRoad(roadRequest), When: on(roadRequest), Check: checkFileAnswer, Complete: completeFile,
			Help: "The certificate that the authority issues for the request: .p7b with the chain (best), .cer, .crt or PEM. Empty: it is looked for in the folder, under the application's name.", Example: "file:netwrix-auditor-certificate/NetwrixAuditor.p7b",
		},
		{
			Key: keyAuthorities, Kind: steps.FileField, Prompt: "Certificates of the authority", Optional: true, Beside: besideRoad(roadAuditor, roadRequest), When: on(roadAuditor, roadRequest), Check: checkFileAnswer, Complete: completeFile,
			Help: "Only when a certificate authority issued the certificate and its file does not hold the chain: the root, with those in between if there are any, in any form.", Example: "file:contoso-root.cer",
		},
		{
			Key: keyPassphrase, Kind: steps.SecretField, Prompt: "Passphrase for the PFX", When: made, Twice: true,
			Help: "The PFX carries the private key to Auditor's server; its passphrase is asked for there at the import.", Example: "env:NPS_PFX_PASSPHRASE",
		},
		{
			Key: keyEncryption, Kind: steps.Choice, Prompt: "Encryption of the PFX", Default: "modern", When: made,
			Choices: []steps.Option{{Value: "modern", Title: "AES-256: Windows Server 2019 or newer"}, {Value: "legacy", Title: "3DES: Windows Server 2016 and older"}},
			Help:    "What Auditor's server can import.", Example: "modern",
		},
	}
}

// KeyTypes are the kinds of keys that can be made, the preset first.
func KeyTypes() []string { return []string{"rsa-3072", "rsa-2048", "rsa-4096", "ecdsa-p256"} }

func keyTypeOptions() []steps.Option {
	var options []steps.Option
	for _, t := range KeyTypes() {
		options = append(options, steps.Option{Value: t, Title: strings.ToUpper(strings.Replace(t, "-", " ", 1))})
	}
	return options
}

// completeFile takes a bare path for a file.
func completeFile(text string) (string, string) {
	v := strings.TrimSpace(text)
	if v == "" || otherwiseSpelled(v) || v == roadNew || v == roadRequest || strings.HasPrefix(v, "file:") || strings.HasPrefix(v, storePrefix) {
		return v, ""
	}
	return "file:" + v, "completed to file:" + v
}

// otherwiseSpelled says whether a text is one of the words for a certificate's origin in another case. A file of that name needs
// file: in front.
func otherwiseSpelled(v string) bool {
	low := strings.ToLower(v)
	return v != low && (low == roadNew || low == roadRequest || strings.HasPrefix(low, "file:") && !strings.HasPrefix(v, "file:") || strings.HasPrefix(low, storePrefix) && !strings.HasPrefix(v, storePrefix))
}

// storedChoices offers what lies in Windows' store; nil on other systems.
func (w World) storedChoices() func(context.Context, *steps.Scene, string) ([]steps.Option, error) {
	if w.Files.Stored == nil {
		return nil
	}
	return func(context.Context, *steps.Scene, string) ([]steps.Option, error) {
		all, err := w.Files.Stored(w.Now())
		var options []steps.Option
		for _, c := range all {
			options = append(options, steps.Option{Value: storePrefix + c.Thumbprint, Title: problem.Plain(c.Subject) + ", serial number " + c.Serial + ", to " + c.NotAfter.UTC().Format("2006-01-02")})
		}
		return options, err
	}
}

var thumbprintForm = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)

func checkFileAnswer(v string) error {
	if !strings.HasPrefix(v, "file:") || v == "file:" {
		return errors.New("not of the form file:PATH")
	}
	return nil
}

func checkCertificateAnswer(v string) error {
	if v == roadNew || v == roadRequest {
		return nil
	}
	if otherwiseSpelled(v) {
		return errors.New("new, request, file: and store: are written in lower case; a file of such a name has file: in front")
	}
	if digits, is := strings.CutPrefix(v, storePrefix); is {
		if !thumbprintForm.MatchString(digits) {
			return errors.New("not of the form store:THUMBPRINT, with 40 hex digits")
		}
		return nil
	}
	return checkFileAnswer(v)
}

// files are the places of what is made, and of the authority's answer.
type files struct {
	folder, key, cer, req, pfx string
	root                       string // of the authorities, when the answer holds more
	answer                     string // as it is named, or where it is found or awaited
	named                      bool   // by an answer
}

func filesOf(a steps.Answers) files {
	folder, base := a.File(keyFolder), FileName(a.Text(keyApplication))
	at := func(ending string) string { return filepath.Join(folder, base+ending) }
	f := files{folder: folder, key: at(".key"), cer: at(".cer"), req: at(".req"), pfx: at(".pfx"), root: at(".root.cer"), answer: at(".p7b")}
	if named := a.File(keyCAAnswer); named != "" {
		f.answer, f.named = named, true
	}
	return f
}

// Packs says whether a run is certain to pack a PFX, by what lies on this machine alone: nothing was made yet, and nothing has to
// be waited for.
func Packs(a steps.Answers, exists func(path string) bool) bool {
	f := filesOf(a)
	if roadOf(a) == roadAuditor || exists(f.pfx) || exists(f.cer) {
		return false
	}
	return roadOf(a) == roadNew || slices.ContainsFunc(f.candidates(), exists)
}

// base is the path of all of them but the ending.
func (f files) base() string { return strings.TrimSuffix(f.key, ".key") }

// candidates are the places where an answer is looked for that no answer names, the best first.
func (f files) candidates() []string {
	if f.named {
		return []string{f.answer}
	}
	base := f.base()
	return []string{base + ".p7b", base + ".p7c", base + ".crt", base + ".pem", base + ".der", f.cer}
}

// intermediate is the place of the n-th certificate between Auditor's and the root.
func (f files) intermediate(n int) string {
	return f.base() + fmt.Sprintf(".intermediate-%d.cer", n)
}

// FileName makes of an application's name the beginning of file names that every file system takes: npsetup cert and a set-up find
// each other's files by it.
func FileName(application string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, application)
	if r := []rune(name); len(r) > 60 {
		name = string(r[:60])
	}
	if name = strings.Trim(name, "._-"); name == "" {
		return "auditor"
	}
	return name
}
