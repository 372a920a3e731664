// Package corpus holds streams as the providers of OpenAI-compatible APIs send them,
// for the tests of whatever watches or relays streams.
//
// Each is written after the provider's public documentation, and where that shows
// less than the wire, after recordings in public issues and test data; "source" in
// testdata/manifest.json names them. NAME.sse is a whole stream, NAME.error is how the
// same API tells of a failure in a stream. The manifest says what a careful reader
// finds in them. It is written by hand: nothing that is tested has computed it.
//
// From the two files of each come the variants: an error first or late, a cut at any
// byte, other line ends, a byte order mark.
//
// Single error answers, with the judgement they ask for, are in rows_a.jsonl, rows_b.jsonl
// and rows_c.jsonl; see [Answers]. They are copied from documented error tables, from
// reports in public issues and from public clients' tests ("evidence" names them), with
// accounts, keys and long ids replaced. Where a page gives code and message but no whole
// body, the body has the provider's usual envelope.
package corpus
