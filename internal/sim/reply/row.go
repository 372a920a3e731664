package reply

import (
	"cmp"
	"net/http"

	"outrigger/internal/sim/fault"
)

// FromRule is the answer of a status rule: its own body, or OpenAI's for that status.
func FromRule(rule *fault.Rule) Answer {
	a := Answer{Status: rule.Status, ContentType: "application/json", Body: []byte(rule.Body), Header: headerOf(rule.Headers)}
	if rule.Body == "" && rule.Status >= http.StatusBadRequest {
		a.Body = OpenAIError(rule.Status).Body()
	}
	return a
}

// FromRow is the answer that a row records, with headers added. The row's
// Content-Length is dropped: the server tells the true one.
func FromRow(id string, more map[string]string) Answer {
	row, err := fault.FindRow(id)
	if err != nil {
		return JSON(http.StatusInternalServerError, err.Error())
	}
	header := headerOf(row.Headers)
	for name, values := range headerOf(more) {
		header[name] = values
	}
	header.Del("Content-Length")
	a := Answer{Status: row.Status, Header: header, Body: []byte(row.Body)}
	a.ContentType = cmp.Or(header.Get("Content-Type"), "application/json")
	return a
}

func headerOf(m map[string]string) http.Header {
	h := make(http.Header, len(m))
	for name, value := range m {
		h.Set(name, value)
	}
	return h
}
