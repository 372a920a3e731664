// Package eventstream watches a text/event-stream answer while its bytes are
// relayed: what was the first event that says something, was there an error
// event, has the stream come to its true end, was it cut inside an event. And it
// writes the error event that tells a caller of a cut.
//
// # Why a watcher and not a reader
//
// Bytes pass as they came: nothing is re-framed, so nothing that an upstream
// sends can be lost or changed by a parser's opinion. The Watcher is shown the
// same bytes beside the copy, in any split. It keeps a bounded prefix of the
// present event and never allocates per event.
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
// # When an answer is over
//
// When its content says so, and not by one event's name. A finish_reason is an end until
// content, a tool call or a thought of that choice follows it; a stop_reason until
// another block does; and a reason that names a failure is an error (classify.FinishOf).
// A chunk that holds nothing of the answer, such as a role alone, is no beginning of it,
// and behind the end it does not keep the stream open.
//
// # What lines mean
//
// Lines and fields are read as the WHATWG HTML standard says (section 9.2.6):
// LF, CRLF and CR end lines, a BOM is skipped, "data" lines are joined by LF, an
// event without data is not one. One exception: an event that is named error is
// an error even without data.
//
// # A cut inside an event
//
// Half an event may have been passed on already, and cannot be taken back. To end
// its line and then send an error event would make the caller's SDK decode broken
// JSON first, and raise an untyped error that no one catches. So the half event is
// made into the error event itself: open strings, arrays and objects are closed,
// the error's members are added to the outermost object, and in dialects with
// named events its name becomes "error", since the last event line counts. The
// plain error event follows for clients that look no further than that.
//
// Tried with the transcripts in testdata, cut at every few bytes, against
// openai-python 1.109 and 3.54, openai-node 4.104, 5.23 and 6.49, openai-go 3.52,
// ai 6.0 with @ai-sdk/openai 3.0, and Anthropic's SDKs for Python (2.12) and
// TypeScript (1.12): each raised its typed error, with the code, at every cut before the
// end. With the half event merely ended, 87 to 97 % of the cuts of a chat or Responses
// stream raised JSONDecodeError, SyntaxError or the like.
package eventstream
