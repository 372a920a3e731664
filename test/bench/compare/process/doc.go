// Package process runs the programs that are compared, reads from /proc what they use, and
// ends them. Linux only.
//
// A program is the leader of a process group, so that its workers are counted and ended with
// it. It dies with this process, however this one ends.
package process
