package proxy

import (
	"errors"
	"net/http"
	"strings"

	proxycall "outrigger/proxy/call"
)

// errPreflight is what serve returns for a question of a browser's, which is answered
// without an upstream: it has neither the page's key nor its token.
var errPreflight = errors.New("a browser asks whether a page may call")

// preflightAge is how long, in seconds, a browser need not ask again.
const preflightAge = "600"

// allow answers a preflight of a page that may call: it may send what it asks for.
func (x *exchange) allow(w http.ResponseWriter, r *http.Request) {
	x.Record.Source, x.Record.Status, x.Record.Outcome = proxycall.SourceLocal, http.StatusNoContent, proxycall.OutcomeCompleted
	h := w.Header()
	x.Stamp(h)
	x.Share(h, nil)
	h.Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
	if names := r.Header.Values("Access-Control-Request-Headers"); len(names) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(names, ","))
	}
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" { // a public page and a loopback listener (WICG)
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	h.Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
}

// Share lets the calling page read an answer, by what it adds to h, unless the answer's
// own headers say who may: an error that a page cannot read is a network error to it.
func (x *exchange) Share(h, answer http.Header) {
	if _, said := answer["Access-Control-Allow-Origin"]; said || x.Page == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", x.Page)
	h.Set("Access-Control-Expose-Headers", "*")
	h.Add("Vary", "Origin")
}
