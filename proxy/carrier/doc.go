// Package carrier knows which parts of a request carry credentials: headers, query
// parameters, cookies and WebSocket subprotocols. It is the only definition of a credential
// for limiter keys, cached refusals, the scope of idempotency keys and of rejoining
// retries, for what is dropped when another key is used, for redaction in logs and errors,
// and for the check that lends no key off loopback.
//
// No list is complete, so three rules apply beside the tables:
//
//   - A name is read word by word: a name that ends in "key", "token", "secret" and the like
//     carries a credential, whoever invented it, except for words that are known to mean
//     something else (idempotency key, page token).
//   - An unknown part may identify the caller. Nothing that one caller was answered is given
//     to another that differs in it.
//   - Only what is listed as harmless is ignored, each with its reason.
package carrier
