// Package recording holds one answer while it is written, for any number of readers.
//
// The answer of a call that several callers wait for, or that goes on when its caller leaves,
// must not be written to one of them: a slow caller would hold up the others, and one that
// leaves would end the call. So the call writes into a Recording, at its own speed. Every
// caller, the first included, reads from it, from the start: what is there at once, and then
// the rest as it comes.
//
// # When there is no room
//
// A recording counts against the memory that all requests share, and an answer too large to
// be stored is of no use to later callers. Beyond either limit a Recording stops buffering.
// Its readers get the rest directly, at the speed of the slowest, as from an ordinary proxy.
// Nobody can start to read any more, and when the last reader has left, writing fails.
//
// # The end
//
// An answer must be stored before a caller sees its end. So the last bytes of an answer of
// known length, and those after Withhold, are kept from the readers until End.
package recording
