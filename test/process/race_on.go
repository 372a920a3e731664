//go:build race

package process

// race reports whether this test was built with the race detector.
const race = true
