// Package recording holds one answer while it is written, for any number of readers.
//
// An answer that several callers wait for, or that continues when its caller leaves, must
// not be written to any one of them: a slow caller would delay the others, and one that
// leaves would end it. So the call writes into a Recording at its own speed. Every caller,
// the first included, reads from it from the start: at once what is there, then what comes.
//
// # When there is no room
//
// A Recording counts against the memory that all requests share, and an answer that is too
// long to be stored is of no use to later callers. From that point on, a Recording stores
// nothing more. Existing readers get the rest directly from the writer, at the speed of the
// slowest, as from an ordinary proxy. Nobody can begin to read any more, and when the last
// reader has left, writing fails.
//
// # The end
//
// Once readers see an answer complete, it must be stored. So the last bytes of an answer of
// known length, and the bytes after Withhold, are withheld from readers until End.
package recording
