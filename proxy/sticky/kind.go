package sticky

import "strings"

// Kind is what an endpoint keeps.
type Kind uint8

// The kinds. The zero value is Nothing.
const (
	// Nothing is what most endpoints keep: any upstream can serve them.
	Nothing Kind = iota
	// Objects are made once and used for long: files, batches, threads.
	Objects
	// Turns are made by each call: responses, messages, runs.
	Turns
)

// kinds has the names of the endpoints that keep something; one that is longer keeps
// the same. Source: the API description, as in policy/endpoint's table.
var kinds = map[string]Kind{
	"files": Objects, "uploads": Objects, "batches": Objects, "messages.batches": Objects, "fine_tuning": Objects,
	"vector_stores": Objects, "assistants": Objects, "threads": Objects, "threads.messages": Turns, "threads.runs": Turns,
	"conversations": Objects, "conversations.items": Turns, "containers": Objects, "evals": Objects, "videos": Objects,
	"skills": Objects, "audio.voices": Objects, "audio.voice_consents": Objects, "realtime.calls": Objects,
	"chatkit": Objects, "live": Objects, "agents": Objects, "vaults": Objects, "organization": Objects, "projects": Objects,
	"responses": Turns, "chat.completions": Turns,
	// They compute.
	"fine_tuning.alpha.graders": Nothing, "responses.input_tokens": Nothing, "responses.compact": Nothing,
}

// holds returns what the endpoint of this name (package policy/endpoint) keeps, if
// it is asked to: a chat completion is kept when its body says so, a response
// unless its body forbids it.
func holds(endpoint string) Kind {
	for {
		if k, ok := kinds[endpoint]; ok {
			return k
		}
		i := strings.LastIndexByte(endpoint, '.')
		if i < 0 {
			return Nothing
		}
		endpoint = endpoint[:i]
	}
}

// refers reports whether a member at the top of a body names an object of the
// upstream that is asked: unknown or not, it is of no use to another one.
func refers(key []byte) bool {
	switch string(key) {
	case "previous_response_id", "conversation", "input_file_id", "training_file", "validation_file", "file_id",
		"file_ids", "assistant_id", "thread_id", "vector_store_ids", "container_id", "upload_id", "part_ids", "eval_id":
		return true
	}
	return false
}

// names reports whether a member's value, or each of its elements, may be the id of
// an object. The exceptions name something that lives elsewhere, or in the turn alone.
func names(key []byte) bool {
	switch string(key) {
	case "id", "conversation", "training_file", "validation_file", "result_files", "container":
		return true
	case "call_id", "tool_call_id", "item_id", "request_id", "client_request_id", "event_id", "user_id", "end_user_id",
		"organization_id", "project_id", "workspace_id", "model_id":
		return false
	}
	return hasSuffix(key, "_id") || hasSuffix(key, "_ids")
}

func hasSuffix(b []byte, suffix string) bool {
	return len(b) > len(suffix) && string(b[len(b)-len(suffix):]) == suffix
}

// Ids have a prefix and some twenty letters and digits, or are UUIDs; the longest
// seen, Azure's and those of gateways that wrap another one, have some 100.
const (
	shortest = 6
	longest  = 256
)

// isID reports whether text can be an id.
func isID(text []byte) bool {
	if len(text) < shortest || len(text) > longest {
		return false
	}
	for _, c := range text {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '_' || c == '-' || c == '.' || c == ':' || c == '=' || c == '|' || c == '+' || c == '/':
		default:
			return false
		}
	}
	return true
}
