package plan

import "errors"

// Kind is what an operation acts on.
type Kind int

// The kinds of operations.
const (
	KindCall Kind = iota
	KindFile
	KindStore
	KindRemote
	KindSession
	KindManual
)

func (k Kind) String() string {
	switch k {
	case KindCall:
		return "call"
	case KindFile:
		return "file"
	case KindStore:
		return "store"
	case KindRemote:
		return "remote"
	case KindSession:
		return "session"
	case KindManual:
		return "manual"
	}
	return "unknown"
}

// Class says how much an operation may do.
type Class int

// The classes. A dry run allows Read and Auth only.
const (
	Read   Class = iota
	Auth         // sign-in and refresh
	Probe        // changes nothing, but leaves a trace or brings back a secret
	Change       // changes the server
)

func (c Class) String() string {
	switch c {
	case Read:
		return "read"
	case Auth:
		return "auth"
	case Probe:
		return "probe"
	case Change:
		return "change"
	}
	return "unknown"
}

// Repeat says how an operation that may or may not have happened is found again. None is ever sent twice blindly.
type Repeat int

// The repeat policies.
const (
	Never    Repeat = iota // nothing tells whether it happened: a person must look
	ByName                 // its object has a unique name
	ByMarker               // a marker that we wrote identifies it
)

func (r Repeat) String() string {
	switch r {
	case Never:
		return "never"
	case ByName:
		return "by-name"
	case ByMarker:
		return "by-marker"
	}
	return "unknown"
}

// Op is one operation of an action. Exactly the member that its Kind names is set.
type Op struct {
	ID      string // unique within the action
	Kind    Kind
	Class   Class
	Repeat  Repeat
	Outputs []Output // what its answer gives to later operations
	Lookup  *Lookup  // how its result is found again when no answer came, or an empty one
	Guard   *Guard   // what must still be true just before it is sent
	Trace   *Trace   // of an operation in Action.Undo: how it sees what is left to take back; nil: found by Action.Undoing, or not at all
	Spare   *Spare   // when it need not be sent any longer
	Await   *Await   // makes a read one that waits
	Marker  string   // of the session that it belongs to; empty for all others
	Assumed string   // reason why we believe that the call works; empty when it is documented or was seen

	Call    *Call
	File    *File
	Store   *Store
	Remote  *Remote
	Session *Session
	Manual  *Manual
}

// Parts lists the calls that an operation makes, in order, as operations of their own: itself for a call, several for a
// session, none for what makes no call.
func (op Op) Parts() []Op {
	if !op.whole() {
		return nil
	}
	switch op.Kind {
	case KindCall:
		return []Op{op}
	case KindSession:
		s := op.Session
		part := func(id string, class Class, c *Call) Op {
			return Op{ID: id, Kind: KindCall, Class: class, Marker: s.Marker, Call: c}
		}
		start := part("start", Change, &s.Start)
		start.Repeat, start.Outputs, start.Lookup = ByMarker, []Output{{SessionOutput, "/id"}}, &s.Found
		var signIn []Op
		if !s.Own() {
			signIn = append(signIn, part("key", Probe, &s.Key), part("sign-in", Auth, &s.SignIn))
		}
		if s.Otherwise.Operation != "" {
			signIn = append(signIn, part("sign-in-otherwise", Auth, &s.Otherwise))
		}
		return append(signIn, start, part("look", Read, &s.Look), part("may-read", Read, &s.CanView),
			part("password", Probe, &s.Password), part("log", Read, &s.Log), part("end", Change, &s.End))
	case KindFile, KindStore, KindRemote, KindManual:
	}
	return nil
}

// whole says whether the member that the kind names is there.
func (op Op) whole() bool {
	switch op.Kind {
	case KindCall:
		return op.Call != nil
	case KindFile:
		return op.File != nil && op.File.whole()
	case KindStore:
		return op.Store != nil
	case KindRemote:
		return op.Remote != nil
	case KindSession:
		return op.Session != nil
	case KindManual:
		return op.Manual != nil
	}
	return false
}

// Output names a value in an answer by JSON pointer, e.g. "/id". What is made on this machine gives its outputs by name, without
// a pointer.
type Output struct{ Name, Pointer string }

// Lookup finds one row: it reads Call (a list of either shape, or one object) and takes the row whose Member equals Value
// exactly, letters' case aside. Without a Member, the answer itself is the row. Rows marked isDeleted do not count, unless
// Deleted says so.
type Lookup struct {
	Call    Call
	Member  string
	Value   string
	Also    []Match // further members that must be equal
	Deleted bool
	Patient bool // what is looked for may appear a while after the answer: NPS works on it behind its back
}

// Match is one more condition of a Lookup.
type Match struct{ Member, Value string }

// Guard is a fresh read just before a change: the row must still equal Want, members in Volatile aside. Otherwise the plan
// is stale.
type Guard struct {
	Lookup   Lookup
	Want     Object
	Volatile []string
}

// File writes a file on this machine, or deletes one. Exactly one of Content, Make and Remove is set.
type File struct {
	Path    string
	Mode    uint32
	Content Value  // a text scalar or a SecretLeaf
	Source  string // for people: what it holds, or what is to be said of it
	Make    *Made  // what is made while the plan is carried out: nobody knows its bytes before
	Remove  bool   // deletes the file: the inverse of writing it
	SHA256  string // with Remove: of the content that may be deleted, hex; empty: whatever it holds
}

// Store puts a certificate into a trust store of an operating system, or takes it out.
type Store struct {
	Store       string // e.g. LocalMachine\Root
	Thumbprint  string // SHA-1 of the DER, hex: by it, Windows names certificates
	SHA256      string // of the DER, hex: by it, a certificate is the same or another one
	Subject     string
	Certificate []byte // DER: what is put in, and what an undo puts back
	Remove      bool
	Does        []string // what it comes to on the machine, in order: files, programs with their arguments
	Needs       string   // the privilege that it takes, e.g. root
}

// Remote changes what another machine trusts, over SSH. Does of its Store lists what it comes to there.
type Remote struct {
	Host    string // host:port
	User    string
	HostKey string // as ssh-keygen -l prints it: SHA256:…
	SignIn  string // by what it signs in, for people: a key file, or a password's reference
	Store   Store
}

// Session opens a privileged session as an application user, or as who is signed in, looks at it, and ends it. Look and the calls after it name the
// session by a Ref to the output "session" of their own action, which Start gives.
type Session struct {
	Login, Activity, Resource string   // for people
	Certificate, PrivateKey   string   // files on this machine with which it signs in
	Authorities               []string // files with certificates between it and its root
	Marker                    string   // stands in the note of the session, so that it is found again
	Key                       Call     // brings the API key of the application user; empty: see Own
	SignIn                    Call     // its sign-in, with a client certificate; the API key is a SecretLeaf without a value
	Otherwise                 Call     // the same at another address, tried where the first answers 404; may be empty
	Start                     Call
	Look                      Call // asked again until the session is active, and until it has ended
	CanView, Password         Call // whether its password may be read, and that there is one
	Log                       Call // read when it fails
	End                       Call
	Found                     Lookup // how it is found again by its marker when the answer to Start was lost
}

// Own says whether it is a session of who is signed in already, and not of an application user: nothing else signs in for it.
func (s Session) Own() bool { return s.Key.Operation == "" }

// ErrUntrusted is the cause, for errors.Is, of a sign-in that was refused since the server does not trust the client certificate
// (IIS: 403.16).
var ErrUntrusted = errors.New("the client certificate is not trusted")

// SessionOutput is the output of Start that the other calls of a session refer to.
const SessionOutput = "session"

// Manual is what a person does by hand.
type Manual struct {
	Where   string    // product and machine, e.g. "Netwrix Auditor, on its server"
	Version string    // whose menu names the clicks carry; empty when they do not depend on it
	Note    string    // said before the clicks, e.g. that a nearest version was taken
	Clicks  []Click   // in order
	Check   string    // how the person sees that it worked
	Undo    string    // how a person takes it back; "nothing" where nothing is left behind
	Proof   string    // what npsetup takes as proof: "read back", or what WordProof gives
	Values  []Labeled // values to carry over, each on its own so that it can be copied
	About   Value     // what the doing is good for, such as the id of a user; when it changes, it has to be done again. Nil: for good
	Awaits  string    // the file by which it shows that it was done; nobody's word counts then. Empty: none
}

// Click is one instruction.
type Click struct {
	Text   string
	Lines  []string  // numbered lines of the article that it carries, e.g. "Initial Setup 2"
	Values []Labeled // values used in it
}

// Labeled is a value with its label. One with Fetch is a secret: the server gives it when a person asks for it, and it is
// in no plan.
type Labeled struct {
	Label, Value string
	Fetch        *Call
}
