package attempt

import "outrigger/policy/classify"

// Accepted reports whether the upstream carried the attempt's call out.
func (a *Attempt) Accepted() bool {
	return a.Resp != nil && a.Failure == classify.None && a.Verdict.Outcome == classify.OutcomeOK && a.Verdict.Rule != ""
}
