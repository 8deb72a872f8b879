package problem

import (
	"fmt"
	"slices"
)

// Code names what a problem or a warning is about, in kebab-case. It is stable: scripts and tickets go by it, and `npsetup explain
// CODE` prints the catalogue's text for it (assets/text/en/codes).
type Code string

// The general codes: one for each Kind, for problems that have none of their own, and one for warnings.
const (
	FailedCode       Code = "failed"
	UsageCode        Code = "usage"
	RefusedCode      Code = "refused"
	SignInAgainCode  Code = "sign-in-again"
	NotOfferedCode   Code = "not-offered"
	NotFoundCode     Code = "not-found"
	AnswerLostCode   Code = "answer-lost"
	ServerFailedCode Code = "server-failed"
	StaleCode        Code = "stale"
	UnreachableCode  Code = "unreachable"
	CancelledCode    Code = "cancelled"
	GateClosedCode   Code = "gate-closed"
	WarningCode      Code = "worth-knowing"
)

// Reaching a server.
const (
	NameNotFound              Code = "name-not-found"
	ConnectionRefused         Code = "connection-refused"
	NoAnswer                  Code = "no-answer"
	ConnectionClosed          Code = "connection-closed"
	NotTLS                    Code = "not-tls"
	TLSTooOld                 Code = "tls-too-old"
	TLSHandshakeFailed        Code = "tls-handshake-failed"
	ClientCertificateDemanded Code = "client-certificate-demanded"
	NotNPS                    Code = "not-nps"
	SomethingInBetween        Code = "something-in-between"
	AddressNotFullName        Code = "address-not-full-name"
	HandshakeSlow             Code = "handshake-slow"
)

// Trust in a server.
const (
	CertificateNotTrusted  Code = "certificate-not-trusted"
	CertificateNameDiffers Code = "certificate-name-differs"
	CertificateExpired     Code = "certificate-expired"
	CertificateEndsSoon    Code = "certificate-ends-soon"
	CertificateChanged     Code = "certificate-changed"
	ClockSkew              Code = "clock-skew"
)

// Sign-in of the administrator, version and licence.
const (
	PasswordRefused  Code = "password-refused"
	AccountLocked    Code = "account-locked"
	MFARefused       Code = "mfa-refused"
	SingleSignOn     Code = "single-sign-on"
	TokenWithoutRole Code = "token-without-role"
	TokenRefused     Code = "token-refused"
	RoleMissing      Code = "role-missing"
	SignInEnded      Code = "sign-in-ended"
	VersionTooOld    Code = "version-too-old"
	VersionNotTold   Code = "version-not-told"
	LicenceExpired   Code = "licence-expired"
)

// The web server and the services of NPS.
const (
	WebDAV             Code = "webdav"
	HostingBundle      Code = "hosting-bundle"
	ApplicationPool    Code = "application-pool"
	ADExtensionBlocked Code = "ad-extension-blocked"
	ServicesUnhealthy  Code = "services-unhealthy"
	ServerBusy         Code = "server-busy"
)

// The application user and its client certificate.
const (
	ApplicationNameBlank        Code = "application-name-blank"
	CertificateNotExported      Code = "certificate-not-exported"
	CertificateNotIssued        Code = "certificate-not-issued"
	NotSelfSigned               Code = "not-self-signed"
	KeyDoesNotFit               Code = "key-does-not-fit"
	ClientCertificateNotTrusted Code = "client-certificate-not-trusted"
	ClientCertificateNotAsked   Code = "client-certificate-not-asked"
	ClientCertificateExpired    Code = "client-certificate-expired"
	ClientCertificateEndsSoon   Code = "client-certificate-ends-soon"
	ClientCertificateUnfit      Code = "client-certificate-unfit"
	ClientCertificateRevoked    Code = "client-certificate-revoked"
	ClientCertificateOnTLS13    Code = "client-certificate-on-tls13"
	SerialDiffers               Code = "serial-differs"
	APIKeyRefused               Code = "api-key-refused"
	ApplicationUserLocked       Code = "application-user-locked"
	KeyFolderUnsafe             Code = "key-folder-unsafe"
	ApplicationSignInFails      Code = "application-sign-in-fails"
)

// Objects in NPS.
const (
	NameNotUnique     Code = "name-not-unique"
	PolicyOtherType   Code = "policy-other-type"
	PlatformMissing   Code = "platform-missing"
	MaxDurationShort  Code = "max-duration-short"
	DiffersFromGuide  Code = "differs-from-guide"
	PersonNeeded      Code = "person-needed"
	NotProven         Code = "not-proven"
	SeveralCandidates Code = "several-candidates"
)

// Active Directory, service accounts and resources.
const (
	ServiceAccountMissing   Code = "service-account-missing"
	ServiceAccountEmpty     Code = "service-account-empty"
	HostUnknown             Code = "host-unknown"
	NotADomainController    Code = "not-a-domain-controller"
	SeveralControllers      Code = "several-domain-controllers"
	NotThePDC               Code = "not-the-pdc-emulator"
	WinRMDisabled           Code = "winrm-disabled"
	WinRMNotReachable       Code = "winrm-not-reachable"
	WinRMFallback           Code = "winrm-fallback"
	WinRMRefused            Code = "winrm-refused"
	RemoteAccessDenied      Code = "remote-access-denied"
	LDAPSNotReachable       Code = "ldaps-not-reachable"
	AccountUnknown          Code = "account-unknown"
	CredentialNotRotated    Code = "credential-not-rotated"
	CredentialMismatch      Code = "credential-mismatch"
	CredentialNotManageable Code = "credential-not-manageable"
)

// Sessions, and Auditor's collections.
const (
	CredentialUnknown    Code = "credential-unknown"
	ResourceUnknown      Code = "resource-unknown"
	ActivityUnknown      Code = "activity-unknown"
	UserNameNotUnique    Code = "user-name-not-unique"
	EntraAuthentication  Code = "entra-authentication"
	SessionTimeout       Code = "session-timeout"
	EventLogUnreadable   Code = "event-log-unreadable"
	WaitSettingReset     Code = "wait-setting"
	CollectionTooLong    Code = "collection-too-long"
	SessionEndedInUse    Code = "session-ended-in-use"
	DirectoryReplication Code = "directory-replication"
	PasswordNotReadable  Code = "password-not-readable"
	ApprovalNeeded       Code = "approval-needed"
	SessionFailed        Code = "session-failed"
)

// Password Secure.
const (
	VaultNotReachable    Code = "vault-not-reachable"
	VaultAddress         Code = "vault-address"
	VaultNotTrusted      Code = "vault-not-trusted"
	VaultServiceDown     Code = "vault-service-down"
	VaultKeyMalformed    Code = "vault-key-malformed"
	VaultKeyExpired      Code = "vault-key-expired"
	VaultKeyEndsSoon     Code = "vault-key-ends-soon"
	VaultKeyRefused      Code = "vault-key-refused"
	VaultEntryNotFound   Code = "vault-entry-not-found"
	VaultEntryAmbiguous  Code = "vault-entry-ambiguous"
	VaultEntryProtected  Code = "vault-entry-protected"
	VaultTooOld          Code = "vault-too-old"
	VaultKitTooOld       Code = "vault-kit-too-old"
	VaultTemplateMissing Code = "vault-template-missing"
)

// The answers.
const (
	NamedTwice Code = "named-twice"
)

// This machine.
const (
	DiskFull            Code = "disk-full"
	StateFolderOpen     Code = "state-folder-open"
	StateFolderUnusable Code = "state-folder-unusable"
	StateFolderUnsafe   Code = "state-folder-unsafe"
	JournalDamaged      Code = "journal-damaged"
	NewerVersion        Code = "newer-version"
	RunOpen             Code = "run-open"
	NotTakenBack        Code = "not-taken-back"
	SessionLeftOpen     Code = "session-left-open"
	AnotherAtWork       Code = "another-at-work"
	NoTerminal          Code = "no-terminal"
	PortNotReachable    Code = "port-not-reachable"
)

// Bare says whether a code tells no more than that something is so: a message beside it says the rest.
func (c Code) Bare() bool {
	return slices.Contains([]Code{"", FailedCode, WarningCode, DiffersFromGuide, PersonNeeded, NotProven}, c)
}

// Coded names what the problem is about.
func (p *Problem) Coded(c Code) *Problem { p.Code = c; return p }

// Named is the problem's code, or the general one of its kind.
func (p *Problem) Named() Code {
	if p.Code != "" {
		return p.Code
	}
	return p.Kind.Code()
}

// CodeLine is the line that names the code behind the i-th problem of a list, or empty: several of one code, one after the other,
// tell it once, behind the last.
func (l List) CodeLine(i int) string {
	c := l[i].Named()
	if i+1 < len(l) && l[i+1].Named() == c {
		return ""
	}
	return fmt.Sprintf("code: %s   (npsetup explain %s)", c, c)
}

// Code is the general code of a kind.
func (k Kind) Code() Code {
	switch k {
	case Failed:
		return FailedCode
	case Usage:
		return UsageCode
	case Refused:
		return RefusedCode
	case SignInAgain:
		return SignInAgainCode
	case NotOffered:
		return NotOfferedCode
	case NotFound:
		return NotFoundCode
	case AnswerLost:
		return AnswerLostCode
	case ServerFailed:
		return ServerFailedCode
	case Stale:
		return StaleCode
	case Unreachable:
		return UnreachableCode
	case Cancelled:
		return CancelledCode
	case GateClosed:
		return GateClosedCode
	}
	return FailedCode
}
