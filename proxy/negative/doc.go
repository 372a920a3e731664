// Package negative remembers refusals and failures, so that calls that would meet them
// again are answered at once.
//
// There are four memories, each for one upstream unless said otherwise:
//
//   - Cache: cached refusals of revoked or exhausted credentials, and of models whose
//     refusals do not clear. After a cooldown one probe goes through.
//   - Loadings: models that are being loaded, with the time to ask again.
//   - Failures: calls that failed for good, so that a client's own retry is not executed
//     again. They are those of the whole process.
//   - Trends: how calls to one path and model fare, which tells an upstream that is ill
//     from one that is down.
//
// The rules are in package policy. All of them are bounded, because callers choose
// credentials, models and paths.
package negative
