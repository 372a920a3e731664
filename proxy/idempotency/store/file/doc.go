// Package file is the store of idempotency claims in a file that survives its process.
//
// The file survives the end of its process at any point, and of the machine where the disk
// keeps what it was told to sync: a create's claim is on the disk before Begin returns, an
// answer before Finish does. A create in flight at the end is Unknown afterwards, a compute
// runs again. Claims that come together share a sync.
//
// One process has the file at a time. Opening it reads it whole and checks each page and
// each record. A damaged file is refused by its name and not changed. Damage that comes
// later fails the calls that meet it. A full disk fails what is new, with ErrFull, and
// loses nothing. A file that is removed or replaced while it is open fails calls with
// ErrUnavailable, since the next process would not find its claims. The file does not
// shrink; the space of deleted records is used again.
//
// # Why bbolt
//
// bbolt is one small pure-Go dependency (0.3 MB of the binary), keeps everything in the one
// file that the setting names, and writes changed pages aside: after a kill there is the
// last commit or the one before. It neither locks across network file systems nor survives
// being copied while in use. It has no checksums and believes what its pages say, so
// package boltcheck reads the pages first, and each record has a checksum.
//
// Stores that check their own blocks were weighed. They cost more: SQLite in pure Go adds
// 4.2 MB to the binary, and checks its pages only with an extension. Badger adds 5.9 MB and
// Pebble 9.8 MB, and both want a directory of files.
//
// So was a log file of our own, with a checksum per record. It could have about half the
// lines of this package and boltcheck. But it needs its index in memory, about 200 bytes for
// each key as in package memory: 2 GB for the ten million keys that fit into 10 GiB. It
// needs twice the disk while it is rewritten, so expiry could not empty a full disk. And
// the files in use today could be opened only with the code that it was to replace.
package file
