package api

import (
	"strings"

	"outrigger/internal/sim/reply"
)

// Route is one endpoint.
type Route struct {
	Name    string // as the ledger has it
	method  string
	path    []string      // below the prefix; "*" stands for any one segment
	Dialect reply.Dialect // of its errors and streams
	// read reads the request. The work that it returns is done at most once.
	read func(*Request) (Work, *reply.Error)
}

// unknownRoute takes what no route matches.
var unknownRoute = &Route{Name: "other"}

// routes are all endpoints.
var routes = []*Route{
	{"chat.completions", "POST", segments("chat/completions"), reply.DialectChat, (*Request).chat},
	{"completions", "POST", segments("completions"), reply.DialectChat, (*Request).completions},
	{"embeddings", "POST", segments("embeddings"), reply.DialectChat, (*Request).embeddings},
	{"moderations", "POST", segments("moderations"), reply.DialectChat, (*Request).moderations},
	{"messages", "POST", segments("messages"), reply.DialectMessages, (*Request).messages},
	{"responses", "POST", segments("responses"), reply.DialectResponses, (*Request).createResponse},
	{"responses", "GET", segments("responses/*"), reply.DialectResponses, (*Request).getResponse},
	{"responses", "DELETE", segments("responses/*"), reply.DialectResponses, (*Request).deleteResponse},
	{"responses", "POST", segments("responses/*/cancel"), reply.DialectResponses, (*Request).cancelResponse},
	{"images", "POST", segments("images/generations"), reply.DialectChat, (*Request).generateImages},
	{"images", "POST", segments("images/edits"), reply.DialectChat, (*Request).editImages},
	{"audio.speech", "POST", segments("audio/speech"), reply.DialectChat, (*Request).speech},
	{"audio.transcriptions", "POST", segments("audio/transcriptions"), reply.DialectChat, (*Request).transcribe},
	{"audio.translations", "POST", segments("audio/translations"), reply.DialectChat, (*Request).transcribe},
	{"models", "GET", segments("models"), reply.DialectChat, (*Request).listModels},
	{"models", "GET", segments("models/*"), reply.DialectChat, (*Request).getModel},
	{"files", "POST", segments("files"), reply.DialectChat, (*Request).upload},
	{"files", "GET", segments("files"), reply.DialectChat, (*Request).listFiles},
	{"files", "GET", segments("files/*"), reply.DialectChat, (*Request).getFile},
	{"files", "GET", segments("files/*/content"), reply.DialectChat, (*Request).fileContent},
	{"files", "DELETE", segments("files/*"), reply.DialectChat, (*Request).deleteFile},
	{"batches", "POST", segments("batches"), reply.DialectChat, (*Request).createBatch},
	{"batches", "GET", segments("batches"), reply.DialectChat, (*Request).listBatches},
	{"batches", "GET", segments("batches/*"), reply.DialectChat, (*Request).getBatch},
	{"batches", "POST", segments("batches/*/cancel"), reply.DialectChat, (*Request).cancelBatch},
}

func segments(path string) []string { return strings.Split(path, "/") }

// findRoute returns the endpoint of a request and what its wildcards stand for.
// The usual prefixes are understood: /v1, /openai/v1, /api/v1, none, and Azure's
// /openai/deployments/NAME, whose NAME is the last of the values.
func findRoute(method, path string) (*Route, []string) {
	segments, deployment := split(path)
	for _, r := range routes {
		if args, ok := r.match(method, segments); ok {
			if deployment != "" {
				args = append(args, deployment)
			}
			return r, args
		}
	}
	return unknownRoute, nil
}

// split returns the segments of a path after its prefix, and the deployment that
// Azure's prefix names.
func split(path string) ([]string, string) {
	path = strings.TrimPrefix(path, "/")
	for _, prefix := range []string{"v1/", "openai/v1/", "api/v1/"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			return strings.Split(rest, "/"), ""
		}
	}
	if rest, ok := strings.CutPrefix(path, "openai/deployments/"); ok {
		name, rest, _ := strings.Cut(rest, "/")
		return strings.Split(rest, "/"), name
	}
	return strings.Split(path, "/"), ""
}

func (r *Route) match(method string, segments []string) ([]string, bool) {
	if method != r.method || len(segments) != len(r.path) {
		return nil, false
	}
	var args []string
	for i, want := range r.path {
		switch {
		case want == "*" && segments[i] != "":
			args = append(args, segments[i])
		case want != segments[i]:
			return nil, false
		}
	}
	return args, true
}

// deployment is the model that Azure's path names, or "".
func (c *Request) deployment() string {
	if wildcards := len(c.args) - strings.Count(strings.Join(c.Route.path, "/"), "*"); wildcards > 0 {
		return c.args[len(c.args)-1]
	}
	return ""
}
