//go:build race

package crowd

// raced: the binary is built with the race detector, so its memory tells nothing.
const raced = true
