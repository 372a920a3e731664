// Package crowd drives the outrigger binary with far more callers, bodies and
// trouble than a sidecar should see, and looks at what the operating system sees:
// memory, descriptors, goroutines, exit status. What single requests must do is
// tested elsewhere; here it is that nothing is lost among thousands of them, and
// that nothing is left behind.
//
// The crowds are scaled to a minute or two on a small machine. With
// OUTRIGGER_TEST_CROWD=full they have full size, which takes some 10 GiB of disk,
// 20,000 descriptors for each of two processes, and minutes.
//
// Where chance plays a part its seed is printed: see package chance.
package crowd
