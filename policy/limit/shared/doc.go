// Package shared finds out which limiters draw on one quota: those of two keys of a project,
// or of a model and its snapshot. Each of them is told the whole limit and would use all of it.
//
// The same limit proves nothing: most keys of a provider have the same one. The proof is
// arithmetic. By the level that one answer tells, and by what all of them have sent since, the
// level in the next answer is known, whoever it is for:
//
//	level now = level then + rate * time - requests
//
// For example, at 20 per second the answers to one key tell 900 left and, a second later, 880.
// So 40 were used. The key itself sent 19 and the other one 21: they share. Had 899 been told,
// 21 were used, and the key has a quota of its own.
//
// What else may explain a level is weighed against it: others that use the quota (a pod with
// the same load), an upstream that charges more than one for each request, refusals that are
// charged or not. Counting answers that fit, instead of weighing them, missed a third of the
// keys that take turns.
package shared
