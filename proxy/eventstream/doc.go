// Package eventstream watches a text/event-stream answer while its bytes are relayed. It
// finds the first event with content, an error event, the true end of the stream, and a cut
// inside an event. It also writes the error event that reports a cut to the caller.
//
// # Why a watcher and not a reader
//
// Bytes are forwarded as they came. Nothing is re-framed, so no parser can lose or change
// what an upstream sends. The Watcher sees the same bytes beside the copy, in any split. It
// keeps a bounded prefix of the current event and does not allocate per event.
//
// # Why it scans JSON
//
// Whether an event is an error or the end stands anywhere in its data: after
// megabytes of base64, after a prompt echoed back, in members of any order. A
// search for substrings is wrong as soon as a model writes about "error", and
// decoding copies all of it. So the data runs once through package jsonscan, which
// jumps over strings, and a dozen members are noted by their place. The scanner's
// state also says how a broken-off object can be completed; see Interruption.
//
// # When an answer is complete
//
// An answer is complete when its content says so, not when an event of some name passes. A
// finish_reason ends a choice, unless content, a tool call or reasoning of that choice
// follows it. A stop_reason ends a message, unless another block follows. A reason that
// names a failure is an error (classify.FinishOf). A chunk without any part of the answer,
// such as a role alone, does not begin it, and after the end it does not keep the stream
// open.
//
// # Lines
//
// Lines and fields are read as the WHATWG HTML standard says (section 9.2.6): LF, CRLF and
// CR end lines, a BOM is skipped, "data" lines are joined by LF, and an event without data
// does not count. There is one exception: an event named error is an error even without
// data.
//
// # A cut inside an event
//
// Half an event may have been forwarded already, and cannot be taken back. If Outrigger
// ended its line and then sent an error event, the caller's SDK would decode broken JSON
// first, and raise an untyped error that nobody catches. So it turns the half event itself
// into the error event. It closes open strings, arrays and objects and adds the error's
// members to the outermost object. In dialects with named events the name becomes "error",
// since the last event line counts. The plain error event follows, for clients that look no
// further than that.
//
// This was tried with the transcripts in testdata, cut at every few bytes, against
// openai-python 1.109 and 3.54, openai-node 4.104, 5.23 and 6.49, openai-go 3.52,
// ai 6.0 with @ai-sdk/openai 3.0, and Anthropic's SDKs for Python (2.12) and
// TypeScript (1.12). Each raised its typed error, with the code, at every cut before the
// end. With the half event merely ended, 87 to 97 % of the cuts of a chat or Responses
// stream raised JSONDecodeError, SyntaxError or the like.
package eventstream
