package sim

import (
	"strings"
)

// dialect is the language of an endpoint's errors and streams.
type dialect uint8

const (
	dialectChat dialect = iota
	dialectResponses
	dialectMessages
)

// route is one endpoint.
type route struct {
	name    string
	method  string
	path    []string // below the prefix; "*" stands for any one segment
	dialect dialect
	// read reads the request. The work that it returns is done at most once.
	read func(*call) (work, *apiError)
}

// unknownRoute takes what no route matches.
var unknownRoute = &route{name: "other"}

// routes are all endpoints.
var routes = []*route{
	{"chat.completions", "POST", segments("chat/completions"), dialectChat, (*call).chat},
	{"completions", "POST", segments("completions"), dialectChat, (*call).completions},
	{"embeddings", "POST", segments("embeddings"), dialectChat, (*call).embeddings},
	{"moderations", "POST", segments("moderations"), dialectChat, (*call).moderations},
	{"messages", "POST", segments("messages"), dialectMessages, (*call).messages},
	{"responses", "POST", segments("responses"), dialectResponses, (*call).createResponse},
	{"responses", "GET", segments("responses/*"), dialectResponses, (*call).getResponse},
	{"responses", "DELETE", segments("responses/*"), dialectResponses, (*call).deleteResponse},
	{"responses", "POST", segments("responses/*/cancel"), dialectResponses, (*call).cancelResponse},
	{"images", "POST", segments("images/generations"), dialectChat, (*call).generateImages},
	{"images", "POST", segments("images/edits"), dialectChat, (*call).editImages},
	{"audio.speech", "POST", segments("audio/speech"), dialectChat, (*call).speech},
	{"audio.transcriptions", "POST", segments("audio/transcriptions"), dialectChat, (*call).transcribe},
	{"audio.translations", "POST", segments("audio/translations"), dialectChat, (*call).transcribe},
	{"models", "GET", segments("models"), dialectChat, (*call).listModels},
	{"models", "GET", segments("models/*"), dialectChat, (*call).getModel},
	{"files", "POST", segments("files"), dialectChat, (*call).upload},
	{"files", "GET", segments("files"), dialectChat, (*call).listFiles},
	{"files", "GET", segments("files/*"), dialectChat, (*call).getFile},
	{"files", "GET", segments("files/*/content"), dialectChat, (*call).fileContent},
	{"files", "DELETE", segments("files/*"), dialectChat, (*call).deleteFile},
	{"batches", "POST", segments("batches"), dialectChat, (*call).createBatch},
	{"batches", "GET", segments("batches"), dialectChat, (*call).listBatches},
	{"batches", "GET", segments("batches/*"), dialectChat, (*call).getBatch},
	{"batches", "POST", segments("batches/*/cancel"), dialectChat, (*call).cancelBatch},
}

func segments(path string) []string { return strings.Split(path, "/") }

// findRoute returns the endpoint of a request and what its wildcards stand for.
// The usual prefixes are understood: /v1, /openai/v1, /api/v1, none, and Azure's
// /openai/deployments/NAME, whose NAME is the last of the values.
func findRoute(method, path string) (*route, []string) {
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

func (r *route) match(method string, segments []string) ([]string, bool) {
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
func (c *call) deployment() string {
	if wildcards := len(c.args) - strings.Count(strings.Join(c.route.path, "/"), "*"); wildcards > 0 {
		return c.args[len(c.args)-1]
	}
	return ""
}
