// Package pick picks the few facts that the proxy needs out of a request body
// while it flows by: model, stream, the token limits, what makes a call a create,
// and an estimate of its size in tokens.
//
// # Nothing is decoded whole
//
// A body may be a 500 MB upload or 20 MB of base64. A Picker is an io.Writer that
// reads each byte once and keeps no more than a model's name and one short word. JSON
// runs through package jsonscan; forms through a multipart scanner of this package's own,
// because mime/multipart wants a goroutine and a pipe to be written to. Fuzz tests hold
// both to what encoding/json and mime/multipart say.
//
// # A Picker judges nothing
//
// Bytes pass on unchanged whatever it finds; what is not valid is the upstream's to
// refuse. Facts picked before a body broke stay, and Facts.Valid tells.
//
// JSON is read as RFC 8259 has it, but for a byte order mark, which is passed over as
// its section 8.1 allows, and for nesting deeper than 512, which counts as broken.
// Where a key stands twice, the last one counts, as in most decoders: a null or a
// value of another type then takes the earlier one away.
package pick
