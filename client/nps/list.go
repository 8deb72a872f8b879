package nps

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// pageSize is how many rows are asked for at once.
const pageSize = 500

// List reads a list of either shape, an array or {data, recordsTotal}, and hands it over row by row until each answers
// false or an error. Paged calls are asked for page after page; rows are not held. An answer that is neither shape is an
// error: an empty list taken for it would make an object twice.
func (c *Client) List(ctx context.Context, call plan.Call, each func(row json.RawMessage) (more bool, err error)) error {
	paged := npsapi.Paged(call)
	var before []byte // first row of the page before
	for skip := 0; ; {
		if paged {
			call = npsapi.Page(call, skip, pageSize)
		}
		p := page{each: each, before: before, total: -1}
		if err := c.page(ctx, call, &p); err != nil {
			return err
		}
		skip += p.rows
		switch {
		case p.stopped || !paged || p.rows == 0:
			return nil
		case p.repeated && p.total < 0:
			return nil // an array that knows no paging is whole after its first page
		case p.total >= 0 && skip >= p.total:
			return nil
		case p.total < 0 && p.rows != pageSize:
			return nil
		}
		// A short page with rows missing is a server that caps take: the rest is asked for.
		before = p.first
	}
}

// page is one page while it is read.
type page struct {
	each     func(json.RawMessage) (bool, error)
	before   []byte
	first    []byte
	rows     int
	total    int // -1: not told
	stopped  bool
	repeated bool
	seen     bool // there was a list, if an empty one
}

// errEach carries an error of the caller through, as it is.
type errEach struct{ error }

func (c *Client) page(ctx context.Context, call plan.Call, p *page) error {
	r, err := c.admitRead(call, nil)
	if err != nil {
		return err
	}
	resp, err := c.exchange(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := c.statusFault(r, resp); err != nil {
		return err
	}
	if resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if contentType := resp.Header.Get("Content-Type"); contentType != "" && !isJSON(contentType) {
		return c.unreadable(r, fmt.Errorf("a list was expected and %s came", c.plain(shorten(contentType))))
	}
	err = p.read(json.NewDecoder(resp.Body))
	var mine errEach
	switch {
	case errors.As(err, &mine):
		return mine.error
	case err != nil && notJSON(err):
		return c.unreadable(r, err)
	case err != nil:
		return c.broken(ctx, r, err, true)
	case !p.stopped && !p.seen:
		return c.unreadable(r, errors.New("the answer holds no list"))
	case p.repeated && p.total >= 0:
		return problem.New("NPS answers the same page of " + r.text() + " again and again").
			Because("it counts " + fmt.Sprint(p.total) + " rows and does not give them all").
			Try("run the same command again; if it stays, report it with the version of NPS")
	}
	return nil
}

func notJSON(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, errShape)
}

var errShape = errors.New("the answer is neither an array nor an object")

func (p *page) read(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('['):
		return p.array(d)
	case json.Delim('{'):
		return p.table(d)
	case nil:
		p.seen = true
		return nil
	}
	return errShape
}

// array reads rows up to the closing bracket.
func (p *page) array(d *json.Decoder) error {
	p.seen = true
	for d.More() {
		var row json.RawMessage
		if err := d.Decode(&row); err != nil {
			return err
		}
		if p.first == nil {
			p.first = bytes.Clone(row)
			p.repeated = p.before != nil && bytes.Equal(p.first, p.before)
		}
		p.rows++
		if p.repeated || p.stopped {
			continue // the rest is read for recordsTotal, which may stand behind it
		}
		more, err := p.each(row)
		if err != nil {
			return errEach{err}
		}
		if !more {
			p.stopped = true
			return nil
		}
	}
	_, err := d.Token()
	return err
}

// table reads {data, recordsTotal} in any order of members.
func (p *page) table(d *json.Decoder) error {
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := name.(string)
		switch strings.ToLower(key) {
		case "data":
			if err := p.data(d); err != nil || p.stopped {
				return err
			}
		case "recordstotal":
			var n *int
			if err := d.Decode(&n); err != nil {
				return err
			}
			if n != nil {
				p.total = *n
			}
		default:
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return err
			}
		}
	}
	_, err := d.Token()
	return err
}

func (p *page) data(d *json.Decoder) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('['):
		return p.array(d)
	case t == nil:
		p.seen = true
		return nil
	}
	return errShape
}
