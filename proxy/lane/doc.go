// Package lane joins an upstream with everything that bounds the calls to it.
//
// A Lane is an upstream.API with its breakers, its queues for rate and concurrency limits,
// its retry budget, and what is remembered about its refusals. Each upstream has its own:
// what happens at one says nothing about another. Only the deadline belongs to the whole
// request.
//
// A lane is tidied while something in it may expire, and costs nothing otherwise.
package lane
