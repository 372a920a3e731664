//go:build race

package eventstream

// stride leaves most places out: the race detector makes them take minutes, and
// there is only one goroutine to watch.
const stride = 13
