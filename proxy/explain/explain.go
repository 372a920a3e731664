// Package explain has words for what Outrigger does to a request: for each outcome, reason
// and cause that logs, metrics and the status page name, a sentence and the setting that would
// change it.
//
// A test compares Table with the enumerations in the other packages, and the settings with
// config.example.env, so that no new reason stays without words.
package explain

// Words explain one value.
type Words struct {
	Text string `json:"text"`
	// Setting names the variables that would change it, separated by ", ". "" is none.
	Setting string `json:"setting,omitempty"`
}

// Table returns the words by what is explained and its value: by "outcome", "decision" (why an
// attempt was repeated or not), "failover", "queue", "breaker", "reason" (why an answer broke
// off), "source", "resume", "idempotency", "kind" (of spans) and "would" (have been done with a request
// that was only observed).
func Table() map[string]map[string]Words {
	return map[string]map[string]Words{
		"outcome": outcomes, "decision": decisions, "failover": failovers, "queue": queues, "breaker": breakers,
		"reason": breaks, "source": sources, "resume": resumes, "idempotency": results, "kind": kinds,
		"would": woulds,
	}
}
