// Package jsonscan reads JSON without decoding it: the one scanner for request bodies,
// answers and the events of streams.
//
// encoding/json can neither pause inside a token nor pass over a string without storing
// it, and a body here may hold 20 MB of base64 that arrives in pieces.
//
// # What there is
//
//   - Scanner reads JSON that arrives in pieces of any size and returns token after token.
//     Strings and numbers come as slices of what it was given; nothing is copied.
//   - Unescaper turns the raw text of a string, in pieces, into the text that it stands for.
//   - Members walks the direct members of one object or array that is at hand, whole or cut.
//   - Nesting only follows how many brackets are open; Truncated asks that of a body.
//
// None of them allocates, panics, or returns an error: each says how far it came.
//
// # Rules
//
// Depth: a Scanner counts more than MaxDepth open containers as broken JSON. Members and
// Nesting keep no stack and have no bound.
//
// Duplicates: every member is returned, in the order written. A reader that lets each one
// overwrite what an earlier one said gets the last, as encoding/json does; all readers here do.
//
// Escapes in names: names are returned as written. Callers that compare raw names do not
// take "i\u0064" for "id"; those that pass the text through an Unescaper do.
//
// Lone surrogates: an Unescaper makes U+FFFD of each, as encoding/json does.
//
// Invalid UTF-8: passes through unchanged, encoding/json makes U+FFFD of each stray byte.
//
// Byte order mark: Strict passes over one at the very start (RFC 8259, section 8.1, allows
// it), Trim removes one; in Loose JSON it is an error, as it is to JSON.parse.
package jsonscan
