package nps

import (
	"bytes"
	"encoding/json"
	"mime"
	"regexp"
	"sort"
	"strings"
)

// said is what the body of an error says.
type said struct {
	text  string // may be empty
	trace string // trace id, under which the server's web log has the reason
}

// longest is how many characters of a server's text go into a message.
const longest = 400

// explainBody finds the words in an error body. NPS answers ProblemDetails, older parts of it a message or an error, and
// some a bare text: they are tried in the order errors, detail, title, message, error, text.
func explainBody(contentType string, raw []byte) said {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")))
	if isPage(contentType, raw) {
		return said{text: shorten(pageText(raw))}
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return said{text: shorten(s)}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return said{text: shorten(string(raw))}
	}
	lower := make(map[string]json.RawMessage, len(members))
	for name, v := range members {
		lower[strings.ToLower(name)] = v
	}
	found := said{trace: shorten(words(lower["traceid"], 1))}
	for _, name := range []string{"errors", "detail", "title", "message", "error"} {
		if found.text = shorten(words(lower[name], 3)); found.text != "" {
			break
		}
	}
	return found
}

// words flattens a text, a list of texts, or a map of field names to texts. Deeper nesting than depth is left out: each
// level is parsed anew, and a hostile body could nest thousands.
func words(raw json.RawMessage, depth int) string {
	if depth == 0 || len(raw) == 0 {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return strings.TrimSpace(s)
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		var parts []string
		for _, item := range list {
			if w := words(item, depth-1); w != "" {
				parts = append(parts, w)
			}
		}
		return strings.Join(parts, "; ")
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return ""
	}
	var parts []string
	for name, v := range members {
		w := words(v, depth-1)
		switch {
		case w == "":
		case name == "":
			parts = append(parts, w)
		default:
			parts = append(parts, name+": "+w)
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, "; ")
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

// isPage recognises HTML by its type, or by its first characters when the type is missing.
func isPage(contentType string, raw []byte) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	if media == "text/html" || media == "application/xhtml+xml" {
		return true
	}
	if media != "" && media != "text/plain" {
		return false
	}
	head := strings.ToLower(string(raw[:min(len(raw), 64)]))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
}

var (
	pageHidden = regexp.MustCompile(`(?is)<(script|style|head|title)\b.*?</(script|style|head|title)>|<!--.*?-->`)
	pageTitle  = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	pageTag    = regexp.MustCompile(`(?s)<[^>]*>`)
)

// pageText is the title of a page and its visible words.
func pageText(raw []byte) string {
	var parts []string
	if m := pageTitle.FindSubmatch(raw); m != nil {
		parts = append(parts, string(m[1]))
	}
	visible := pageHidden.ReplaceAll(raw, []byte(" "))
	parts = append(parts, string(pageTag.ReplaceAll(visible, []byte(" "))))
	return strings.Join(parts, " ")
}
