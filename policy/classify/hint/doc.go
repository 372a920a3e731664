// Package hint reads when to come back out of what an upstream says: waits and instants in
// texts, in the fields of errors, and in headers' values. It judges nothing: package
// classify decides which of several hints counts.
//
// Texts are read by a grammar, a cue, a link and a time (see cue.go), fields by the words
// of their names. Texts must be lower-cased. No input makes a function panic, and no wait
// that is returned is negative or longer than Max.
package hint
