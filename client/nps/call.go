package nps

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Read sends a reading call and brings its whole answer. Any other class is refused.
func (c *Client) Read(ctx context.Context, call plan.Call) (plan.Answer, error) {
	return c.read(ctx, call, nil)
}

func (c *Client) read(ctx context.Context, call plan.Call, known plan.Resolver) (plan.Answer, error) {
	r, err := c.admitRead(call, known)
	if err != nil {
		return plan.Answer{}, err
	}
	resp, err := c.exchange(ctx, r)
	if err != nil {
		return plan.Answer{}, err
	}
	return c.answer(ctx, r, resp)
}

func (c *Client) admitRead(call plan.Call, known plan.Resolver) (request, error) {
	if op, ok := npsapi.Lookup(call.Operation); ok && op.Class != plan.Read {
		return request{}, closed(call.Method+" "+call.Path, "its class is "+op.Class.String()+", and it was asked for as a read")
	}
	r, _, err := c.gate.admit(call, known)
	return r, err
}

// Send carries out one call of the approved plan: a change, or a probe. It is never repeated and no redirect is followed.
// known gives the references of the call. A call of class Read is read, with its references filled in.
//
// The error's kind is AnswerLost when the call may have been carried out and the answer did not arrive, or could not be
// understood; ServerFailed when a status of 500 or more came to a change; Unreachable or Cancelled when nothing was sent; NotOffered
// when the server does not have the call.
func (c *Client) Send(ctx context.Context, op plan.Op, known plan.Resolver) (plan.Answer, error) {
	if op.Kind != plan.KindCall || op.Call == nil {
		return plan.Answer{}, closed("operation "+op.ID, "it is not a call")
	}
	if row, ok := npsapi.Lookup(op.Call.Operation); ok && row.Class == plan.Read {
		return c.read(ctx, *op.Call, known)
	}
	r, giveBack, err := c.gate.admit(*op.Call, known)
	if err != nil {
		return plan.Answer{}, err
	}
	if r.op.Class == plan.Auth {
		return plan.Answer{}, closed(r.text(), "the sign-in is not an operation of a plan")
	}
	for _, s := range op.Call.Secrets() {
		c.scrub.Add(s)
	}
	resp, err := c.exchange(ctx, r)
	if err != nil {
		if !problem.Is(err, problem.AnswerLost) {
			giveBack()
		}
		return plan.Answer{}, err
	}
	a, err := c.answer(ctx, r, resp)
	if err != nil {
		return a, err
	}
	if r.op.ID == "revealApiKey" || r.op.ID == "getSessionPassword" {
		c.scrub.Add(secret.New(text(a.Body)))
	}
	if npsapi.RowStatuses(r.op.ID) {
		return a, c.rowFaults(r, a.Body)
	}
	return a, nil
}

// exchange sends a request with the token. After a 401 it signs in again, once, and repeats: a 401 means that nothing was
// done, so that even a change may be repeated.
func (c *Client) exchange(ctx context.Context, r request) (*http.Response, error) {
	token, err := c.tokenFor(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.once(ctx, r, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || token.Empty() {
		return resp, err
	}
	discard(resp)
	if token, err = c.renew(ctx, token); err != nil {
		return nil, err
	}
	return c.once(ctx, r, token)
}

// answer reads an answer to its end and closes it.
func (c *Client) answer(ctx context.Context, r request, resp *http.Response) (plan.Answer, error) {
	defer func() { _ = resp.Body.Close() }()
	if err := c.statusFault(r, resp); err != nil {
		return plan.Answer{Status: resp.StatusCode}, err
	}
	a := plan.Answer{Status: resp.StatusCode}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, c.broken(ctx, r, err, true)
	}
	a.Body, err = value(resp.Header.Get("Content-Type"), raw)
	if err != nil {
		return a, c.unreadable(r, err)
	}
	return a, nil
}

// statusFault is the problem of an answer that is no success, or nil.
func (c *Client) statusFault(r request, resp *http.Response) error {
	if resp.StatusCode < 300 {
		return nil
	}
	if resp.StatusCode < 400 {
		return c.pointedAway(r, resp.Header.Get("Location"))
	}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // as much of it as came: the status decides
	return c.refusal(r, resp.StatusCode, resp.Header.Get("Content-Type"), raw)
}

var errPage = errors.New("a web page came instead of data")

// value brings an answer into JSON: JSON stays, other text becomes a JSON string, a web page is an error.
func value(contentType string, raw []byte) (json.RawMessage, error) {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")))
	switch {
	case len(raw) == 0:
		return nil, nil
	case isPage(contentType, raw):
		return nil, errPage
	case isJSON(contentType):
		if !json.Valid(raw) {
			return nil, fmt.Errorf("the answer is not valid JSON")
		}
		return raw, nil
	case json.Valid(raw):
		return raw, nil
	}
	return json.Marshal(string(raw))
}

func isJSON(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// text is a JSON string's content, or the text itself when it is none.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return strings.Trim(strings.TrimSpace(string(raw)), `"`)
}

// rowFaults looks into an answer whose rows have a status each: NPS answers 200 although rows failed.
func (c *Client) rowFaults(r request, raw json.RawMessage) error {
	var rows []struct {
		ID      string
		Status  npsapi.Enum
		Message *string
	}
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		return c.unreadable(r, err)
	}
	for _, row := range rows {
		if row.Status.Name == "" && row.Status.Number < 400 || rowDone(row.Status.Name) {
			continue
		}
		why := "it gives no reason"
		if row.Message != nil && strings.TrimSpace(*row.Message) != "" {
			why = c.plain(*row.Message)
		}
		status := row.Status.Name
		if status == "" {
			status = fmt.Sprint(row.Status.Number)
		}
		return problem.New("NPS refused " + r.text() + " for " + c.plain(row.ID) + " (" + c.plain(status) + ")").
			Because(why).Try("correct what it names, then run npsetup plan again")
	}
	return nil
}

// rowDone says whether a status that came as a name is a success.
func rowDone(name string) bool {
	switch strings.ToLower(name) {
	case "ok", "created", "accepted", "nocontent":
		return true
	}
	return false
}
