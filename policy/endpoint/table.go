package endpoint

import "strings"

// row is one line of the table: a path below the base, where {} stands for any
// one segment, and what a POST to it does.
type row struct {
	path    string
	post    Effect
	dialect Dialect
	// unless, if set, says which bodies make the POST a create after all.
	unless func(Facts) bool
	// shape is what the body has of a call that is known under any base; 0 is one that is
	// known under listed bases alone.
	shape Members
	// family makes the row cover every longer path too, as far as no other row does.
	family bool
	// name is the literal segments of path joined by dots; derived, not written.
	name string
}

// table lists every path of the OpenAI API, and the few of its neighbours that
// are spoken on the same hosts. A row that only answers GET says Create: a POST to it is not known.
var table = []row{
	// Inference: a repeat costs money and nothing else.
	{path: "chat/completions", post: Compute, dialect: Chat, unless: storesChat, shape: HasModel | HasMessages},
	{path: "completions", post: Compute, dialect: Completions, shape: HasModel | HasPrompt},
	{path: "embeddings", post: Compute, shape: HasModel | HasInput},
	{path: "moderations", post: Compute, shape: HasModel | HasInput},
	{path: "images/generations", post: Compute, dialect: Images, shape: HasModel | HasPrompt},
	{path: "images/edits", post: Compute, dialect: Images, shape: HasModel},
	{path: "images/variations", post: Compute, dialect: Images},
	{path: "audio/speech", post: Compute, dialect: Speech, shape: HasModel | HasInput},
	{path: "audio/transcriptions", post: Compute, dialect: Transcriptions, shape: HasModel},
	{path: "audio/translations", post: Compute, shape: HasModel},
	{path: "responses", post: Compute, dialect: Responses, unless: actsResponse, shape: HasModel | HasInput},
	{path: "responses/compact", post: Compute},
	{path: "messages", post: Compute, dialect: Messages, shape: HasModel | HasMessages | HasMaxTokens}, // Anthropic's, not those of threads
	{path: "rerank", post: Compute, shape: HasModel | HasQuery | HasDocuments},
	{path: "decisions", post: Compute},
	{path: "content_provenance_checks", post: Compute},
	{path: "fine_tuning/alpha/graders/run", post: Compute},
	{path: "fine_tuning/alpha/graders/validate", post: Compute},

	// Questions asked by POST.
	{path: "responses/input_tokens", post: Read},
	{path: "messages/count_tokens", post: Read, shape: HasModel | HasMessages},
	{path: "vector_stores/{}/search", post: Read},
	{path: "search", post: Read},

	// Stored objects. POST to a collection creates; POST to one object updates it.
	{path: "models", family: true}, // names of models may hold slashes
	{path: "chat/completions/{}", post: Replace},
	{path: "chat/completions/{}/messages", post: Create},
	{path: "responses/{}", post: Create, dialect: Responses}, // GET ?stream=true resumes
	{path: "responses/{}/input_items", post: Create},
	{path: "responses/{}/cancel", post: Replace},
	{path: "files", post: Create},
	{path: "files/{}", post: Create},
	{path: "files/{}/content", post: Create},
	{path: "uploads", post: Create},
	{path: "uploads/{}/parts", post: Create},
	{path: "uploads/{}/complete", post: Create},
	{path: "uploads/{}/cancel", post: Replace},
	{path: "batches", post: Create},
	{path: "batches/{}", post: Create},
	{path: "batches/{}/cancel", post: Replace},
	{path: "messages/batches", post: Create},
	{path: "messages/batches/{}", post: Create},
	{path: "messages/batches/{}/results", post: Create},
	{path: "messages/batches/{}/cancel", post: Replace},
	{path: "fine_tuning/jobs", post: Create},
	{path: "fine_tuning/jobs/{}", post: Create},
	{path: "fine_tuning/jobs/{}/events", post: Create},
	{path: "fine_tuning/jobs/{}/checkpoints", post: Create},
	{path: "fine_tuning/jobs/{}/cancel", post: Replace},
	{path: "fine_tuning/jobs/{}/pause", post: Replace},
	{path: "fine_tuning/jobs/{}/resume", post: Replace},
	{path: "fine_tuning/checkpoints/{}/permissions", post: Create},
	{path: "fine_tuning/checkpoints/{}/permissions/{}", post: Create},
	{path: "vector_stores", post: Create},
	{path: "vector_stores/{}", post: Replace},
	{path: "vector_stores/{}/files", post: Create},
	{path: "vector_stores/{}/files/{}", post: Replace},
	{path: "vector_stores/{}/files/{}/content", post: Create},
	{path: "vector_stores/{}/file_batches", post: Create},
	{path: "vector_stores/{}/file_batches/{}", post: Create},
	{path: "vector_stores/{}/file_batches/{}/files", post: Create},
	{path: "vector_stores/{}/file_batches/{}/cancel", post: Replace},
	{path: "assistants", post: Create},
	{path: "assistants/{}", post: Replace},
	{path: "threads", post: Create},
	{path: "threads/{}", post: Replace},
	{path: "threads/{}/messages", post: Create},
	{path: "threads/{}/messages/{}", post: Replace},
	{path: "threads/runs", post: Create, dialect: Assistants},
	{path: "threads/{}/runs", post: Create, dialect: Assistants},
	{path: "threads/{}/runs/{}", post: Replace},
	{path: "threads/{}/runs/{}/steps", post: Create},
	{path: "threads/{}/runs/{}/steps/{}", post: Create},
	{path: "threads/{}/runs/{}/submit_tool_outputs", post: Create, dialect: Assistants},
	{path: "threads/{}/runs/{}/cancel", post: Replace},
	{path: "conversations", post: Create},
	{path: "conversations/{}", post: Replace},
	{path: "conversations/{}/items", post: Create},
	{path: "conversations/{}/items/{}", post: Create},
	{path: "containers", post: Create},
	{path: "containers/{}", post: Create},
	{path: "containers/{}/files", post: Create},
	{path: "containers/{}/files/{}", post: Create},
	{path: "containers/{}/files/{}/content", post: Create},
	{path: "evals", post: Create},
	{path: "evals/{}", post: Replace},
	{path: "evals/{}/runs", post: Create},
	{path: "evals/{}/runs/{}", post: Replace}, // POST cancels the run
	{path: "evals/{}/runs/{}/output_items", post: Create},
	{path: "evals/{}/runs/{}/output_items/{}", post: Create},
	{path: "videos", post: Create},
	{path: "videos/{}", post: Create},
	{path: "videos/{}/content", post: Create},
	{path: "videos/{}/remix", post: Create},
	{path: "videos/edits", post: Create},
	{path: "videos/extensions", post: Create},
	{path: "videos/characters", post: Create},
	{path: "videos/characters/{}", post: Create},
	{path: "skills", post: Create},
	{path: "skills/{}", post: Replace},
	{path: "skills/{}/content", post: Create},
	{path: "skills/{}/versions", post: Create},
	{path: "skills/{}/versions/{}", post: Create},
	{path: "skills/{}/versions/{}/content", post: Create},
	{path: "audio/voices", post: Create},
	{path: "audio/voice_consents", post: Create},
	{path: "audio/voice_consents/{}", post: Replace},

	// Sessions, calls and agents: short-lived, but each POST makes one or acts.
	{path: "realtime", post: Create},
	{path: "realtime/client_secrets", post: Create},
	{path: "realtime/translations/client_secrets", post: Create},
	{path: "realtime/sessions", post: Create},
	{path: "realtime/transcription_sessions", post: Create},
	{path: "realtime/calls", post: Create},
	{path: "realtime/calls/{}/accept", post: Create},
	{path: "realtime/calls/{}/refer", post: Create},
	{path: "realtime/calls/{}/reject", post: Create},
	{path: "realtime/calls/{}/hangup", post: Create},
	{path: "chatkit/sessions", post: Create},
	{path: "chatkit/sessions/{}/cancel", post: Replace},
	{path: "chatkit/threads", post: Create},
	{path: "chatkit/threads/{}", post: Create},
	{path: "chatkit/threads/{}/items", post: Create},
	{path: "live", family: true},
	{path: "agents", family: true},
	{path: "vaults", family: true},

	// Administration.
	{path: "organization", family: true},
	{path: "projects", family: true},
}

// verb is what the last segment of a path says a POST does, where no row of its own lists the path.
func verb(segment string) Effect {
	if strings.HasSuffix(segment, ":cancel") { // Google's
		return Replace
	}
	switch segment {
	case "cancel":
		return Replace
	case "search", "input_tokens":
		return Read
	default:
		return Create
	}
}

// storesChat tells of a chat completion that is kept: a repeat would keep two.
func storesChat(f Facts) bool { return f.Store }

// actsResponse tells of a response that does more than answer. Being stored, the
// default of the Responses API, is not enough: what a repeat leaves behind then is an
// orphan that nobody refers to.
func actsResponse(f Facts) bool { return f.Background || f.Conversation || f.ActingTools }
