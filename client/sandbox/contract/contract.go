// Package contract holds requests and answers against an OpenAPI description. Tests use it as the sandbox's checking mode;
// the shipped program does not link it.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

var bom = []byte("\xef\xbb\xbf") // .NET servers put it before JSON

// Checker checks by one description.
type Checker struct {
	router routers.Router
	shown  *sync.Map // names of members that answers have shown
}

// New reads and validates an OpenAPI description.
func New(raw []byte) (*Checker, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background(), openapi3.AllowExtraSiblingFields()); err != nil {
		return nil, err
	}
	r, err := gorillamux.NewRouter(doc)
	return &Checker{r, &sync.Map{}}, err
}

func (c *Checker) input(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	copied := r.Clone(context.Background())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := c.router.FindRoute(copied)
	if err != nil {
		return nil, fmt.Errorf("%s %s is not in the contract: %w", r.Method, r.URL.Path, err)
	}
	return &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: bearer, MultiError: true, IncludeResponseStatus: true},
	}, nil
}

// Request checks one request.
func (c *Checker) Request(r *http.Request, body []byte) error {
	in, err := c.input(r, body)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, p := range in.Route.Operation.Parameters {
		known[strings.ToLower(p.Value.Name)] = true
	}
	for _, p := range in.Route.PathItem.Parameters {
		known[strings.ToLower(p.Value.Name)] = true
	}
	for name := range r.URL.Query() {
		if !known[strings.ToLower(name)] {
			return fmt.Errorf("%s %s: the query parameter %s is not in the contract", r.Method, r.URL.Path, name)
		}
	}
	if len(body) > 0 && in.Route.Operation.RequestBody == nil {
		return fmt.Errorf("%s %s takes no body", r.Method, r.URL.Path)
	}
	if err := unwrap(in); err != nil {
		return fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	unknown := unknownIn(in.Route.Operation, body)
	if r.Method == http.MethodPut {
		unknown = slices.DeleteFunc(unknown, c.wasShown) // what is written back is whole, with what newer servers show besides
	}
	if len(unknown) > 0 {
		return fmt.Errorf("%s %s: its body has members that are not in the contract: %s", r.Method, r.URL.Path, strings.Join(unknown, ", "))
	}
	return nil
}

// wasShown says whether an answer has had a member of that name.
func (c *Checker) wasShown(path string) bool {
	_, shown := c.shown.Load(path[strings.LastIndexByte(path, '.')+1:])
	return shown
}

// show notes the names of all members of an answer.
func (c *Checker) show(v any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			c.show(one)
		}
	case map[string]any:
		for name, one := range v {
			c.shown.Store(name, true)
			c.show(one)
		}
	}
}

// unknownIn lists the members of a body that the contract does not describe, where the vendor does. The server would leave them out without a word,
// so that a misspelt one would set nothing. A call that is assumed may have to give back what a row has besides.
func unknownIn(op *openapi3.Operation, body []byte) []string {
	if op.Extensions["x-source"] != "documented" || op.RequestBody == nil || op.RequestBody.Value == nil {
		return nil
	}
	media := op.RequestBody.Value.Content.Get("application/json")
	var v any
	if media == nil || media.Schema == nil || json.Unmarshal(body, &v) != nil {
		return nil
	}
	return strange(media.Schema.Value, v, "")
}

// strange walks through a value and its schema side by side. A schema without members says nothing of them.
func strange(s *openapi3.Schema, v any, at string) []string {
	var list []string
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if s.Items != nil {
				list = append(list, strange(s.Items.Value, one, at)...)
			}
		}
	case map[string]any:
		known := described(s)
		if len(known) == 0 || s.AdditionalProperties.Schema != nil { // that there may be more is said of rows that newer servers answer
			return nil
		}
		for name, one := range v {
			if of := known[name]; of == nil {
				list = append(list, at+name)
			} else {
				list = append(list, strange(of.Value, one, at+name+".")...)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// described are the members of a schema, with those that it is composed of.
func described(s *openapi3.Schema) openapi3.Schemas {
	all := maps.Clone(s.Properties)
	for _, parts := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, part := range parts {
			if all == nil {
				all = openapi3.Schemas{}
			}
			maps.Copy(all, described(part.Value))
		}
	}
	return all
}

// Response checks one answer. What a web server says in HTML in place of the API is not the API's.
func (c *Checker) Response(r *http.Request, status int, header http.Header, body []byte) error {
	if status >= 400 && (len(body) == 0 || !strings.Contains(header.Get("Content-Type"), "json")) {
		return nil
	}
	var shown any
	if json.Unmarshal(bytes.TrimPrefix(body, bom), &shown) == nil {
		c.show(shown)
	}
	in, err := c.input(r, nil)
	if err != nil {
		return err
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: status, Header: header, Options: in.Options}
	out.SetBodyBytes(bytes.TrimPrefix(body, bom))
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		return fmt.Errorf("answer to %s %s: %w", r.Method, r.URL.Path, err)
	}
	return nil
}

// unwrap takes JSON out of the media type under which the contract says that it travels (x-sent-as).
func unwrap(in *openapi3filter.RequestValidationInput) error {
	wanted, is := in.Route.Operation.Extensions["x-sent-as"].(string)
	if !is {
		return nil
	}
	if kind, _, _ := mime.ParseMediaType(in.Request.Header.Get("Content-Type")); kind != wanted {
		return fmt.Errorf("its body is sent as %q, and not as %s", kind, wanted)
	}
	in.Request.Header.Set("Content-Type", "application/json")
	return nil
}

// bearer demands a token where the contract does.
func bearer(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if !strings.HasPrefix(in.RequestValidationInput.Request.Header.Get("Authorization"), "Bearer ") {
		return fmt.Errorf("no bearer token")
	}
	return nil
}
