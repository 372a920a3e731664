// Package shadow tells what enforce mode would have done with requests that are only observed.
//
// A request in observe mode goes to its upstream at once, and once. Beside it runs its shadow:
// the same request, taken through the attempt loop of enforce mode with its queues, breakers,
// budgets and caches. No attempt of a shadow is sent. Calls answers them, by what the upstream
// was seen to answer to real calls:
//
//   - The first attempt gets what the upstream answered to its own request, when that comes.
//   - A later one gets what it answered to another call that began at about that time, to
//     the same endpoint and model. Each of those stands in for one attempt before any does for
//     two, so that an upstream that fails half of its calls fails half of the retries.
//   - A refusal for load does not hold for an attempt that was paced: pacing is its cure. Where
//     refusals were seen to depend on how many calls run at once, it holds when as many of the
//     shadows' attempts run as the upstream was seen to run calls.
//
// Real is what is kept of a call: status, headers, times, and of its content the beginning and
// the end, HeadMax and TailMax bytes at most, in memory, until the newest calls take its place.
// Account records what became of one shadow.
package shadow
