package page

import (
	"bytes"
	"embed"
	"encoding/json"
	"net/http"
	"time"

	"outrigger/proxy/explain"
	"outrigger/proxy/recent"
	"outrigger/proxy/status"
)

// Source is what the page shows. Both are safe for concurrent use.
type Source struct {
	Status func() status.Status
	Recent *recent.Recorder
}

// Page is the handler of the page's paths. Make it with New.
type Page struct {
	mux *http.ServeMux
	hub *hub
}

//go:embed files
var files embed.FS

// contentTypes are the files that are served, by name.
var contentTypes = map[string]string{
	"page.css": "text/css; charset=utf-8",
	"page.js":  "text/javascript; charset=utf-8",
	"view.js":  "text/javascript; charset=utf-8",
	"story.js": "text/javascript; charset=utf-8",
	"icon.svg": "image/svg+xml",
}

// policyHeader lets the page load what this listener serves, and nothing else.
const policyHeader = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// New returns the page of s.
func New(s Source) *Page {
	p := &Page{mux: http.NewServeMux(), hub: newHub(s)}
	index := withWords(file("index.html"))
	p.mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policyHeader)
		give(w, "text/html; charset=utf-8", index)
	})
	for name, kind := range contentTypes {
		body := file(name)
		p.mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { give(w, kind, body) })
	}
	p.mux.HandleFunc("/requests.json", func(w http.ResponseWriter, _ *http.Request) { giveRequests(w, s.Recent) })
	p.mux.HandleFunc("/events", p.hub.serve)
	return p
}

// ServeHTTP answers the page's paths, and 404 to all others.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

func file(name string) []byte {
	body, _ := files.ReadFile("files/" + name) // embedded: a test reads each
	return body
}

// wordsMark is where the index has the words that explain reasons.
const wordsMark = "{{words}}"

// withWords puts the table of package explain into the index. encoding/json escapes what could
// end the element.
func withWords(index []byte) []byte {
	words, _ := json.Marshal(explain.Table()) // strings alone: it cannot fail
	return bytes.Replace(index, []byte(wordsMark), words, 1)
}

func give(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body) // a caller that left is no concern of ours
}

// Requests is what /requests.json answers: the requests that are kept, the latest first, and
// what was counted.
type Requests struct {
	Time     time.Time        `json:"time"`
	Totals   recent.Totals    `json:"totals"`
	Requests []recent.Request `json:"requests"`
}

func giveRequests(w http.ResponseWriter, from *recent.Recorder) {
	all := from.After(0)
	latest := make([]recent.Request, 0, len(all))
	for i := range all {
		latest = append(latest, all[len(all)-1-i])
	}
	body, err := json.MarshalIndent(Requests{time.Now(), from.Totals(), latest}, "", "  ")
	if err != nil {
		http.Error(w, "cannot encode: "+err.Error(), http.StatusInternalServerError)
		return
	}
	give(w, "application/json", append(body, '\n'))
}
