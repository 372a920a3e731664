//go:build !race

package eventstream

// stride is the distance of the places at which the corpus is split and cut.
const stride = 1
