package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"npsetup/steps/secret"
)

// Call is one HTTP request as a value. The same Call is shown (Redacted) and sent (Wire).
type Call struct {
	Operation string  // its id in the contract, e.g. createPolicy
	Method    string  // GET, POST, PUT, DELETE
	Path      string  // template as in the contract, e.g. /api/v1/AccessControlPolicy/{policyId}/Activity
	Params    []Param // path parameters, then query parameters in the order in which they are written
	Body      Value   // nil: no body
}

// Param is a path or query parameter.
type Param struct {
	Name  string
	Path  bool
	Value Value // a text scalar or a Ref
}

// Request is a call made ready to be sent or shown: references and secrets are in their place.
type Request struct {
	Method string
	Path   string // with query
	Body   []byte // nil: none
}

// Resolver gives the value of a Ref. It answers false while the value is not known.
type Resolver func(Ref) (string, bool)

// Redacted is what people see: secrets masked, unknown references described, known ones filled in. Of a call that cannot be
// sent at all (see Check) it is the template.
func (c Call) Redacted(known Resolver) Request {
	r, err := c.render(leaves{
		secret: func(s SecretLeaf) (string, error) { return "(secret: " + s.Name + ")", nil },
		ref: func(r Ref) (string, error) {
			if known != nil {
				if v, ok := known(r); ok {
					return v, nil
				}
			}
			return r.String(), nil
		},
	}, known == nil)
	if err != nil {
		return Request{Method: c.Method, Path: c.Path}
	}
	return r
}

// Wire is what is sent. It fails while a reference is not known. Only a transport may call it.
func (c Call) Wire(known Resolver) (Request, error) {
	return c.render(leaves{
		secret: func(s SecretLeaf) (string, error) { return s.Secret.Wire(), nil },
		ref: func(r Ref) (string, error) {
			if known != nil {
				if v, ok := known(r); ok {
					return v, nil
				}
			}
			return "", fmt.Errorf("%s %s needs the %s of %s, which is not known", c.Method, c.Path, r.Output, r.What)
		},
	}, false)
}

// render writes the request. A readable one leaves references as they are, which are known to nobody yet.
func (c Call) render(l leaves, readable bool) (Request, error) {
	path := c.Path
	var query []string
	for _, p := range c.Params {
		text, err := paramText(p.Value, l)
		if err != nil {
			return Request{}, err
		}
		_, bare := p.Value.(Ref)
		bare = bare && readable
		if p.Path {
			if text == "" { // an empty segment would address the list instead of the object
				return Request{}, fmt.Errorf("%s %s: %s is empty", c.Method, c.Path, p.Name)
			}
			if !bare {
				text = url.PathEscape(text)
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", text)
			continue
		}
		if !bare {
			text = strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
		}
		query = append(query, p.Name+"="+text)
	}
	if !readable && strings.Contains(path, "{") { // values are escaped: this stands in the template
		return Request{}, fmt.Errorf("%s %s: not every value is given", c.Method, c.Path)
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	r := Request{Method: c.Method, Path: path}
	if c.Body != nil {
		var b bytes.Buffer
		if err := c.Body.write(&b, l); err != nil {
			return Request{}, err
		}
		r.Body = b.Bytes()
	}
	return r, nil
}

func paramText(v Value, l leaves) (string, error) {
	var b bytes.Buffer
	if err := v.write(&b, l); err != nil {
		return "", err
	}
	var s string
	if json.Unmarshal(b.Bytes(), &s) == nil {
		return s, nil
	}
	return b.String(), nil // a number or a truth value
}

// Refs lists the references in the call, parameters first.
func (c Call) Refs() []Ref {
	var found []Ref
	_ = c.check(func(r Ref) { found = append(found, r) })
	return found
}

// check finds what no answer could mend, and calls each with the references on its way.
func (c Call) check(each func(Ref)) error {
	_, err := c.render(leaves{
		secret: func(SecretLeaf) (string, error) { return "x", nil },
		ref:    func(r Ref) (string, error) { each(r); return "x", nil },
	}, false)
	return err
}

// Secrets lists the secrets in the call, so that a transport can scrub them from what comes back.
func (c Call) Secrets() []secret.Secret {
	var found []secret.Secret
	if c.Body != nil {
		_ = c.Body.write(new(bytes.Buffer), leaves{
			secret: func(s SecretLeaf) (string, error) { found = append(found, s.Secret); return "", nil },
			ref:    func(Ref) (string, error) { return "", nil },
		})
	}
	return found
}

// Answer is what a call brought back.
type Answer struct {
	Status int
	Body   json.RawMessage // empty when the server sent none; text answers arrive as a JSON string
}
