package spool

import "sync/atomic"

// account counts bytes in use. It is safe for concurrent use and never shows
// more than was granted: a claim that does not fit leaves no trace, where adding
// first and taking back would refuse others meanwhile. The zero value counts 0.
type account struct{ used atomic.Int64 }

// take claims n bytes if that leaves no more than limit in use.
func (a *account) take(n, limit int64) bool {
	for {
		used := a.used.Load()
		if n > limit-used {
			return false
		}
		if a.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// charge claims n bytes whatever the limit.
func (a *account) charge(n int64) { a.used.Add(n) }

// free gives n bytes back.
func (a *account) free(n int64) { a.used.Add(-n) }
