// Package echoes finds the parts of an answer that quote its request, so that nobody takes
// the caller's words for the upstream's: a 404 that quotes the model "insufficient balance"
// says nothing about an account.
//
// It compares answer and request word by word, however the words are joined, quoted or
// escaped: JSON's \u0020, %20 in a URL, &quot; in a page. [NewFinder] takes the answer,
// [Finder.Body] and [Finder.Value] what the request said. [Finder.Found] returns the quoted
// parts, and [Parts.Cut] removes them from a text.
//
// The package decides nothing, and its work is bounded.
package echoes
