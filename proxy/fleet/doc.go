// Package fleet shares limits, pauses, what was learned of them, and cached refusals among the
// sidecars that use one Redis or Valkey.
//
// # Leases
//
// A sidecar leases what it is going to send in the next 100 ms from the account that all share:
// one script, which is atomic, on the server's clock. What it does not use goes back. Between
// leases nothing is asked, so an idle sidecar costs nothing, and a busy one about ten scripts a
// second for each credential and model. When a lease does not suffice, its answer tells when
// the next turn comes: nobody polls.
//
// # What one learns
//
// Each sidecar learns from its own answers, as it does alone, and from the counts of what the
// others sent and had refused. What it finds (a limit, its source, a pause) goes with its next
// lease, under the version that it knew: of two that found something at once the first holds,
// and the other one takes it over. So one refusal is one for all. It is kept for a day, and so
// over restarts.
//
// # Fairness
//
// Those that wait stand in order of what they got, for the weight of the class (8 to 4 to 1 for
// high, normal and low): the next turn is of the one that got least. Nobody gets more than its
// part of what there is while others wait, nor more than it has use for.
//
// # When the server cannot be used
//
// After 50 ms without an answer, or an error, each sidecar goes on with one of as many equal
// parts of each limit as there were members, and asks four times a second whether the server is
// back. With OUTRIGGER_FLEET_FAIL=closed it waits instead. What a server has lost is told it
// again by whoever asks first.
//
// # Names
//
// A key's name is Prefix, a hash under a secret that lies on the server, and in braces what has
// to be on one node of a cluster: all of one credential.
package fleet
