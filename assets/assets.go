// Package assets holds the files that are compiled into the program: the API contract, the manual pages and a script. It neither
// interprets them nor speaks to a server.
package assets

import (
	"embed"
	"io/fs"
)

// NPSContract is the OpenAPI description of every NPS call that this program makes, with the source of each.
//
//go:embed api/nps.openapi.yaml
var NPSContract []byte

// TrustScript is a PowerShell script that puts a certificate into a store, or takes it out, with {{NAME}} where it is filled in. What it is filled
// with must be harmless in a comment and between single quotes: hex, Base64, one line.
//
//go:embed script/trust.ps1
var TrustScript string

// PasswordSecureContract is the OpenAPI description of what is asked of Password Secure, below the address of its API.
//
//go:embed api/password-secure.openapi.yaml
var PasswordSecureContract []byte

//go:embed text/en/*.txt text/en/codes/*.txt text/en/risks/*.txt
var texts embed.FS

// Texts are the manual pages in English, one file per step, and under codes/ what each code of a problem means, under
// risks/ each risk that is accepted by name.
func Texts() fs.FS {
	sub, err := fs.Sub(texts, "text/en")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
