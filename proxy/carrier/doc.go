// Package carrier knows in which parts of a request credentials travel: headers, query
// parameters, cookies and WebSocket subprotocols. It is the one answer to what a
// credential is, for all who ask: limiter keys, cached refusals, the scope of
// idempotency keys and of retries that rejoin, what is dropped where another key is used,
// what is masked in logs and errors, and the check that lends no key off loopback.
//
// No list is complete, so three things hold beside the tables:
//
//   - A name is read in words: what ends in "key", "token", "secret" and the like is a
//     proof, whoever invented it, but for words that are known to mean something else
//     (idempotency key, page token).
//   - What is not known may tell callers apart. Nothing that one caller was answered is
//     given to another that differs in it.
//   - Only what is listed as harmless is ignored, each with its reason.
package carrier
