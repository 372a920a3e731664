// Package resources says how many descriptors and how much memory the process may use, and
// which errors mean that one of them is exhausted. Limits derived from that apply where the
// operator has set none.
package resources

import (
	"math"
	"runtime/debug"
)

// Memory returns how many bytes the process is to stay under: the Go runtime's limit
// (GOMEMLIMIT), or that of its control group if it is lower. 0 is no limit that is known.
func Memory() int64 { return memory(groupLimit("/")) }

func memory(group int64) int64 {
	limit := debug.SetMemoryLimit(-1)
	if group > 0 {
		limit = min(limit, group)
	}
	if limit == math.MaxInt64 {
		return 0
	}
	return limit
}

// heapShare is the part of a control group's memory that the Go runtime is told to stay
// under: the kernel counts socket buffers and stacks of its own, of which the runtime knows
// nothing.
const heapShare = 0.8

// LimitHeap has the Go runtime collect garbage before the process meets its control
// group's limit, where nobody has set GOMEMLIMIT: it would else let the heap double.
func LimitHeap() { limitHeap(groupLimit("/")) }

func limitHeap(group int64) {
	if group > 0 && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(int64(float64(group) * heapShare))
	}
}
