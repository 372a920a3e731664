// Package echoes finds what of an answer its request had said, so that nobody takes the caller's words for the
// upstream's: a 404 that quotes the model "insufficient balance" says nothing about an account.
//
// Answer and request are compared by their words, whatever joins, quotes or escapes these: JSON's \u0020, %20 of a URL,
// &quot; of a page. [NewFinder] takes the answer, [Finder.Body] and [Finder.Value] what the request said, [Finder.Found]
// tells the parts that are its own, and [Parts.Cut] takes them out of a text.
//
// The package decides nothing, and does no more work than its bounds allow.
package echoes
