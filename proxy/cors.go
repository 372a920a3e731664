package proxy

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// errPreflight is what serve returns for a question of a browser's, which is answered
// without an upstream: it has neither the page's key nor its token.
var errPreflight = errors.New("a browser asks whether a page may call")

// isPreflight reports whether a browser asks, by itself, whether a page may send a
// request (WHATWG Fetch, "CORS-preflight request").
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// page returns the origin of the page that calls, if it is one that may, or "". An
// intercepted call's page deals with the upstream itself.
func (cs *callers) page(r *http.Request, target string) string {
	origin := r.Header.Get("Origin")
	if target != "" || !slices.Contains(cs.origins, strings.ToLower(origin)) {
		return ""
	}
	return origin
}

// preflightAge is how long, in seconds, a browser need not ask again.
const preflightAge = "600"

// allow answers a preflight of a page that may call: it may send what it asks for.
func (x *exchange) allow(w http.ResponseWriter, r *http.Request) {
	x.record.source, x.record.status, x.record.outcome = sourceLocal, http.StatusNoContent, outcomeCompleted
	h := w.Header()
	x.stamp(h)
	x.share(h, nil)
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

// share lets the calling page read an answer, by what it adds to h, unless the answer's
// own headers say who may: an error that a page cannot read is a network error to it.
func (x *exchange) share(h, answer http.Header) {
	if _, said := answer["Access-Control-Allow-Origin"]; said || x.page == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", x.page)
	h.Set("Access-Control-Expose-Headers", "*")
	h.Add("Vary", "Origin")
}
