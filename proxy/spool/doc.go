// Package spool buffers request bodies so that they can be sent more than once: small ones
// in memory, the others in a file without a name.
//
// A Store is created once. Its Read takes in a whole body and returns a Body, whose Readers
// start from the beginning as often as attempts need it.
//
// # Memory is counted by what is held, not by what is announced
//
// A body grows in steps. The next block is allocated when the byte that needs it has
// arrived, and is at most as large as what is held already (32 KiB at first, or 4 KiB if the
// length is unknown). So a caller that announces 1 GiB and sends nothing holds nothing, and
// one that sends slowly holds at most about twice what it sent. Blocks are charged by
// capacity, before they are used, and never copied into larger ones. They come from pools by
// size class, so bodies make no garbage. What the pools keep between two collections is not
// charged.
//
// An eighth of MemoryMax is reserved for the blocks that carry bodies to disk. When bodies
// and other holders (Reserve) have used up the rest, the next bodies are spooled and not
// rejected. Conversely, a body that should be on disk and cannot be stays in memory while
// enough is free; see shelter.
//
// # A body is always file, then blocks, then at most one byte
//
// Every step keeps that order readable. So when memory and disk are both full, what was read
// so far is still there, and Once sends it with the rest of the caller's bytes, once.
//
// A file is used again, empty, by the bodies that follow (files): making and deleting one for each
// body took most of a loaded process's CPU time.
//
// # Close frees memory at once, but not under a reader
//
// HTTP transports may read a request's body after RoundTrip returned. Each read pins the body
// while it touches blocks or file. Close makes all later reads fail with ErrClosed, and the
// last pin to go frees them. Counting open readers instead would leak a body with every
// reader that somebody forgot to close.
package spool
