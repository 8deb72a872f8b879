// Package assets holds the files that are compiled into the program: the API contract, the step texts, the example
// answers. It neither interprets answers nor speaks to a server.
package assets

import _ "embed"

// NPSContract is the OpenAPI description of every NPS call that this program makes, with the source of each.
//
//go:embed api/nps.openapi.yaml
var NPSContract []byte
