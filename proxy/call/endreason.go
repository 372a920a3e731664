package call

import (
	"net/http"

	"outrigger/policy/classify"
)

// IsWarning reports whether somebody should look at how the request ended: Outrigger failed
// it, it broke off, it may have been carried out unseen, or no call with its key succeeds
// until somebody pays or changes the key.
func (r *Result) IsWarning() bool {
	switch {
	case r.Outcome == OutcomeInterrupted:
		return true
	case r.Source == SourceLocal:
		return r.Status >= http.StatusInternalServerError || r.ErrorCode == "upstream_ambiguous" || r.ErrorCode == "idempotency_outcome_unknown"
	}
	return r.Verdict.Outcome == classify.OutcomeQuota || r.Verdict.Outcome == classify.OutcomeCredential
}
