// Package verdict puts the state of a running Outrigger into words: is an upstream down, is
// a quota spent, which limit holds requests back, or does everything answer.
//
// Judge turns Facts into a Verdict: one Line for each thing that an operator should know,
// the worst first. The status page and outrigger top show the same lines. A Line keeps its
// times apart from its text, so that a reader sees them in his own time zone, counting down.
package verdict
