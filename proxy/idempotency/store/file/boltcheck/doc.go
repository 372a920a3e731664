// Package boltcheck finds out whether the pages of a bbolt file are intact, before bbolt
// opens it.
//
// bbolt maps its file into memory and believes what the pages say. Its pages have no
// checksums, apart from the two meta pages. A damaged page is found when bbolt runs into
// it, by a panic, a memory fault or an endless loop. A damaged list of free pages is not
// found at all: bbolt writes over pages that are in use, and claims are gone.
//
// So Verify reads the file by itself. Both meta pages must be valid, and all pages there.
// Each page must be in use once or free once, and be what the page above says it is, with
// its keys in order. Contents of records are not checked here; they have checksums.
//
// # Why bbolt's format is read here
//
// This package knows a page format that is internal to bbolt: version 2, which bbolt has
// kept since it was bolt. Two ways to do without were tried with bbolt 1.5.0. Some 360 files
// were each damaged in one place: a bit of a page header, of a branch page or of the list of
// free pages, or a page that was zeroed, swapped or out of date. Each was opened, searched
// for the records that it must have, written on and opened again.
//
//	                                     Verify   meta pages and sizes   Tx.Check
//	files                                   361                    356        361
//	refused, or opened and intact           361                    296        349
//	opened, and calls failed later            0                     55          0
//	opened and written on, still damaged      0                      4          3
//	endless loop while opening                0                      1          1
//	process killed by a memory fault          0                      0          8
//
// The second column reads only the meta pages and the size of the file, and then every
// bucket in order through bbolt, with all panics and faults recovered. The third adds
// bbolt's own Tx.Check. That runs in a goroutine of its own, in which a fault cannot be
// recovered, so such a file would end each start with a stack trace. bbolt's packages that
// read pages (internal/common, internal/guts_cli) cannot be imported.
//
// Both ways are about 300 lines shorter. This package stays, because a file that is opened
// although it is damaged can run a non-idempotent call twice.
package boltcheck
