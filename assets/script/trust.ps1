# {{Does}} Trusted Root Certification Authorities (Local Machine) of the
# computer that runs this script. Written by npsetup for the certificate
#   subject     {{Subject}}
#   valid       {{From}} to {{To}} UTC
#   thumbprint  {{Thumbprint}}
#   SHA-256     {{SHA256}}
# Run it on the NPS server, as administrator:
#   powershell.exe -NoProfile -ExecutionPolicy Bypass -File {{File}}
# It ends with 0 when the store is as wanted, also when nothing had to be done; with 1 when it refuses or fails; with 2 without
# an administrator's rights. Then nothing was changed.
#Requires -Version 3.0
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$thumbprint = '{{Thumbprint}}'
$sha256 = '{{SHA256}}'
$base64 = @'
{{Base64}}
'@

function Stop-With([string] $why, [int] $code) {
	[Console]::Error.WriteLine($why)
	exit $code
}

trap { Stop-With ('failed: ' + $_.Exception.Message) 1 }

$der = [Convert]::FromBase64String($base64)
$hash = [BitConverter]::ToString([Security.Cryptography.SHA256]::Create().ComputeHash($der)).Replace('-', '')
$certificate = New-Object Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $der)
if ($hash -ne $sha256 -or $certificate.Thumbprint -ne $thumbprint) {
	Stop-With 'refused: the certificate in this script is not the one that its head names; write the script anew' 1
}
#[put]

# Only a self-signed certificate belongs there: any other makes IIS refuse every client certificate (403.16).
$subject = [BitConverter]::ToString($certificate.SubjectName.RawData)
$issuer = [BitConverter]::ToString($certificate.IssuerName.RawData)
$chain = New-Object Security.Cryptography.X509Certificates.X509Chain
$chain.ChainPolicy.RevocationMode = [Security.Cryptography.X509Certificates.X509RevocationMode]::NoCheck
$chain.ChainPolicy.VerificationFlags = [Security.Cryptography.X509Certificates.X509VerificationFlags]::AllowUnknownCertificateAuthority
[void] $chain.Build($certificate)
$forged = @($chain.ChainStatus | Where-Object { $_.Status -eq [Security.Cryptography.X509Certificates.X509ChainStatusFlags]::NotSignatureValid })
if ($subject -ne $issuer -or $chain.ChainElements.Count -ne 1 -or $forged.Count -gt 0) {
	Stop-With 'refused: the certificate is not self-signed; the root of its authority belongs into Trusted Root' 1
}
#[both]

$me = New-Object Security.Principal.WindowsPrincipal -ArgumentList ([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
	Stop-With 'this takes an administrator: start PowerShell with Run as administrator, then run the script again' 2
}

$root = [Security.Cryptography.X509Certificates.StoreName]::Root
$machine = [Security.Cryptography.X509Certificates.StoreLocation]::LocalMachine
$byThumbprint = [Security.Cryptography.X509Certificates.X509FindType]::FindByThumbprint
$store = New-Object Security.Cryptography.X509Certificates.X509Store -ArgumentList $root, $machine
$store.Open([Security.Cryptography.X509Certificates.OpenFlags]::ReadWrite)
try {
	$found = $store.Certificates.Find($byThumbprint, $thumbprint, $false).Count
#[remove]
	if ($found -eq 0) {
		'it is not there: nothing was changed'
		exit 0
	}
	$store.Remove($certificate)
	if ($store.Certificates.Find($byThumbprint, $thumbprint, $false).Count -gt 0) {
		Stop-With 'failed: it is still there; group policy may bring it' 1
	}
	'taken out of Trusted Root: ' + $thumbprint
#[put]
	if ($found -gt 0) {
		'it is there already: nothing was changed'
	} else {
		$store.Add($certificate)
		if ($store.Certificates.Find($byThumbprint, $thumbprint, $false).Count -ne 1) {
			Stop-With 'failed: it was added and is not to be seen' 1
		}
		'put into Trusted Root: ' + $thumbprint
	}
	'to take it out again: certutil -delstore Root ' + $thumbprint
#[both]
} finally {
	$store.Close()
}
exit 0
