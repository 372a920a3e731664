package sticky

// own reports whether a member of an answer to a call of an endpoint names what the call
// made or was about. All else is a quotation of the request, which may name anything.
func own(endpoint string, v member) bool {
	key, outer := string(v.key), string(v.outer)
	switch v.depth {
	case 1:
		return key == "id" || made(endpoint, key)
	case 2: // an event's response or item, and the file that an upload became
		switch outer {
		case "response":
			return key == "id" && endpoint == "responses"
		case "item":
			return ofItem(key) && endpoint == "responses"
		case "file":
			return key == "id" && endpoint == "uploads.complete"
		}
	case 3:
		if outer == "data" {
			return key == "id" && listed(endpoint)
		}
		return outer == "output" && ofItem(key) && endpoint == "responses"
	}
	return false
}

// listed reports whether the objects of a list have ids that the upstream made. An item's, in a
// conversation or among a response's inputs, may be its caller's word.
func listed(endpoint string) bool {
	switch endpoint {
	case "files", "batches", "vector_stores", "fine_tuning.jobs", "assistants", "containers", "evals":
		return true
	}
	return false
}

// ofItem is for what a response puts out: its own id, and the container that was made for it.
func ofItem(key string) bool { return key == "id" || key == "container_id" }

// made reports whether a member at the top names what the upstream made beside the object.
func made(endpoint, key string) bool {
	switch endpoint {
	case "batches":
		return key == "output_file_id" || key == "error_file_id"
	case "fine_tuning.jobs":
		return key == "result_files"
	case "threads.runs": // also where the call made the thread
		return key == "thread_id"
	}
	return false
}
