// Package classify says what one answer of an upstream, or the lack of one,
// means: what kind of failure it is, whom it concerns, and whether and when the
// same request may be sent again.
//
// Call [Classify] with everything that is known of an attempt. The rules are one
// table in rules.go, tried from the top, the first that matches decides. To teach the package a new
// provider's error, add a row: policy/README.md, "How to add a rule", says how.
//
// Hints about when to come back are read by package hint. Instants are by the clock of the answer's own Date.
//
// # Decisions
//
// The body counts before the status. One status code, 429, stands for an empty
// rate bucket (wait), a dead account (never), a request larger than the limit
// (never) and a provider without capacity (back off); dead accounts also hide in
// 400, 402, 403 and 412. So codes and types are compared whole with lists, and
// texts only with phrases that some provider really sends. Words such as "quota" or
// "billing" decide nothing: they stand in ordinary rate-limit texts too.
//
// A code that no list has is read as words, whatever its case and separators, and names its case by a combination of them:
// a 401 GoUsageLimitError is a quota and no dead key. Words of validation (parameter, field, format) make it name nothing,
// and a "key" or "token" is the caller's only under the statuses of a refusal. Under 429 "quota" alone stays a rate.
//
// "Exceeded your current quota" is never repeated, unless the same body proves that
// it means a minute: Google sends the sentence for its per-minute limits as well.
//
// A 2xx is not yet a success. An error in its body or in the first event of its
// stream is judged by the same table under the status that it stands for, by its codes or else by the words of its text.
//
// Wording that an upstream may have copied from a prompt must not decide much:
// of the text of a 400 or 422 only the beginning is searched, and HTML pages not
// at all.
//
// A create is repeated only after proof that it was not carried out, and an error
// inside a 2xx is no such proof.
//
// The package keeps nothing, waits for nothing and logs nothing. All its functions
// may be called at the same time. No input makes them panic.
package classify
