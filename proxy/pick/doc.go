// Package pick reads the few facts that the proxy needs from a request body while it is
// received: model, stream, the token limits, what makes a call non-idempotent, and an
// estimate of its size in tokens.
//
// # Nothing is decoded whole
//
// A body may be a 500 MB upload or 20 MB of base64. A Picker is an io.Writer that
// reads each byte once and keeps no more than a model's name and one short word. JSON
// runs through package jsonscan; forms through a multipart scanner of this package's own,
// because mime/multipart wants a goroutine and a pipe to be written to. Fuzz tests hold
// both to what encoding/json and mime/multipart say.
//
// # A Picker rejects nothing
//
// Bytes are forwarded unchanged, whatever it finds; the upstream rejects what is invalid.
// Facts found before a body broke stay, and Facts.Valid is then false.
//
// JSON is read as RFC 8259 says, with two exceptions: a byte order mark is skipped, as its
// section 8.1 allows, and nesting deeper than 512 counts as broken. If a key appears twice,
// the last one counts, as in most decoders, even if it is null or has another type.
package pick
