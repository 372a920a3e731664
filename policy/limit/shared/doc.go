// Package shared finds out which limiters draw on one quota: those of two keys of a
// project, or of a model and its snapshot. Each of them is told the whole limit and would
// use all of it.
//
// Candidates are those whose answers name the same owner (organization and project, or the
// account in a refusal's text) and tell the same limit. A name is no proof: keys of one
// organization may have limits of their own, and joining those would halve their speed.
// So a few answers must bear it out. By the level that one answer told, and by what was
// sent since, the level in the next one is known:
//
//	used = level then + rate * time - level now
//
// For example, at 20 per second the answers to one key tell 900 left and, a second later,
// 880. So 40 were used. The key itself sent 19 and the other one 21: they share. Had 899
// been told, 21 were used, and the key has a quota of its own.
//
// joinNamed such answers in a row are enough where a header names the owner, else joinUnnamed,
// and each one that ever did not fit asks for one more. Somebody else may send in proportion to
// the key (a pod with the same load) or evenly, or the upstream may charge two for each request:
// so one factor must not explain all of them. partCount in a row that leave more than a shared
// quota could hold part them again.
package shared
