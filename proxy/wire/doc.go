// Package wire holds the names on the wire that several packages need: headers, media
// types, labels of statuses; and the bounds of text that callers and upstreams choose.
//
// Such text is cut here before it becomes a key, a label or a field of the log, and what
// looks like a credential is masked: MaskKeys, MaskedPath, Field, ModelKey.
//
// The Idempotency-Key is stored under a name that net/http does not look for: see
// KeyIdempotency.
package wire
