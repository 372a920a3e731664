package batches

import (
	"slices"
	"strings"
)

// Batch is a batch job as an answer shows it (OpenAI's API reference, "The batch object").
// Text is as it stands in JSON, cut to 128 bytes.
type Batch struct {
	ID     string
	Status string // one of Statuses, or "other"
	// ErrorFile is the id of the file with the lines that failed; "" if there is none.
	ErrorFile string
	// ErrorCode is that of the first error of a batch that failed as a whole.
	ErrorCode string
	// Total, Completed and Failed count the lines of the input file.
	Total, Completed, Failed int64
}

// Statuses are the states of a batch, from the first to the last.
var Statuses = []string{"validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"}

// other is any state that the list does not have: states become labels of metrics.
const other = "other"

func statusOf(text string) string {
	if slices.Contains(Statuses, text) {
		return text
	}
	return other
}

// Tells reports whether the answer to a call of an endpoint (as package policy/endpoint names
// it) may show batches.
func Tells(endpoint string) bool {
	return endpoint == "batches" || strings.HasPrefix(endpoint, "batches.")
}
