package endpoint

import "strings"

// methods are those of Google's own API, which stand behind a colon in the last segment:
// /v1beta/models/NAME:generateContent (ai.google.dev/api; Vertex' reference,
// projects.locations.publishers.models). A method that is not here is a create.
var methods = named(map[string]*row{
	"generateContent":        {post: Compute},
	"streamGenerateContent":  {post: Compute},
	"embedContent":           {post: Compute},
	"batchEmbedContents":     {post: Compute},
	"generateAnswer":         {post: Compute},
	"predict":                {post: Compute},
	"rawPredict":             {post: Compute},
	"streamRawPredict":       {post: Compute},
	"serverStreamingPredict": {post: Compute},
	"countTokens":            {post: Read},
	"computeTokens":          {post: Read},
	// Jobs that outlive the call.
	"batchGenerateContent":   {post: Create},
	"asyncBatchEmbedContent": {post: Create},
	"predictLongRunning":     {post: Create},
})

func named(rows map[string]*row) map[string]*row {
	for name, r := range rows {
		r.path, r.name = name, name
	}
	return rows
}

// Method returns the model that a path of Google's own API names and the method that is
// called of it; both are "" for any other path. The model may be a tuned one, or an endpoint
// that is one.
func Method(path string) (model, method string) { //nolint:nonamedreturns // the names tell them apart
	path, _, _ = strings.Cut(path, "?")
	end := last(path)
	model, method, found := strings.Cut(end, ":")
	if !found {
		if i := strings.Index(strings.ToLower(end), "%3a"); i >= 0 {
			model, method = end[:i], end[i+3:]
		}
	}
	if model == "" || methods[method] == nil {
		return "", ""
	}
	switch last(strings.TrimSuffix(strings.TrimRight(path, "/"), end)) {
	case "models", "tunedModels", "dynamic", "endpoints":
		return model, method
	}
	return "", ""
}

// methodOf returns the row of the method that path calls, or nil.
func methodOf(path string) *row {
	_, method := Method(path)
	return methods[method]
}

// Streams reports whether a method of Google's own API answers with a stream.
func Streams(method string) bool {
	return strings.HasPrefix(method, "stream") || method == "serverStreamingPredict"
}
