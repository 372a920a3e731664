// Package traffic is what the benchmarks send, what their upstream answers, and the bare
// proxy that they compare with. The benchmarks of test/bench and the comparison of
// test/bench/compare share it.
package traffic
