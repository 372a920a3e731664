//go:build race

package fleet

// raced says that the race detector is on: all is about ten times as slow.
const raced = true
