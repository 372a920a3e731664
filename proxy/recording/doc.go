// Package recording holds one answer while it is written, for any number of readers.
//
// The answer of a call that several callers wait for, or that goes on when its caller
// leaves, must not be written to any one of them: a slow caller would hold up the
// others, and one that is gone would end it. So the call writes into a Recording, at
// its own speed, and every caller, the first included, reads from it, from the start:
// what is there at once, and then what comes, as it comes.
//
// # When there is no room
//
// What is recorded counts against the memory that all requests share, and an answer
// that is longer than can be stored is of no use to later callers. From there on a
// Recording keeps nothing: those who read already get the rest hand to hand, at the
// speed of the slowest, as from an ordinary proxy; nobody can begin to read any more;
// and when the last reader has gone, writing fails.
//
// # The end
//
// An answer that is announced as complete must be stored by then. So the last bytes
// of an answer of known length, and those after Withhold, are kept from the readers
// until End.
package recording
