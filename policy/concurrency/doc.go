// Package concurrency learns how many calls an upstream runs at once, from the calls
// that it refuses. It is the counterpart of the learned rate in package limit. It is pure:
// it has no clock, timer or lock; every method takes the time, and the caller locks.
//
// # The estimate
//
// There is no limit until a refusal shows one. Then the limit is the number of calls that
// had been accepted and were still running when the refused one arrived. Refused calls are
// not counted. So a burst that is mostly refused gives the same limit as one call too many,
// and long calls, whose rounds take minutes, cannot make the limit collapse.
//
// Latency is not used: a language model's latency follows the length of its answers, and
// baselines taken from it drift (Netflix/concurrency-limits#165, envoyproxy/envoy#11579).
//
// # Growth
//
// After half a second, one call more than the limit is sent as a probe. A refusal usually
// comes as fast as earlier refusals did. So if none comes for twice that time, the limit
// grows by the probe, and the next probe is twice as large and due at once. A refused probe
// costs one call. The next probe is again one call and waits twice as long, up to 20 s. So
// a limit that doubles is found within about 20 s plus one second, and an unchanged limit
// costs three probes a minute. Only a full limit is probed.
//
// # Falsification
//
// An upstream that refuses at random has no such limit. Its refusals contradict each other:
// a call is refused beside fewer running calls than another call, sent since the last
// refusal, was accepted beside. A contradicting refusal lowers nothing. When such refusals
// reach a tenth of the accepted calls, the limit is dropped. Each drop doubles, for ten
// minutes, the number of consecutive refusals needed for the next limit. Probes get past
// rarer ones.
//
// A limit that really falls is not mistaken for chance: nothing was accepted between its
// first refusal and the following ones, so these contradict nothing.
//
// A refusal while no other call runs says nothing about concurrency, unless it names it.
// Then other clients use the limit up, and one call at a time finds out when they stop.
//
// # Bare refusals
//
// A bare 429 may be about the rate. It counts as evidence for a concurrency limit only
// while calls are long, that is, while few calls were accepted in the last minute for the
// number that is running. The next call, sent when one has ended, decides: if it is refused
// too, the refusal was about the rate. Later, the limit is given up when consecutive
// refusals have taken it under half. A limit from refusals that name concurrency is never
// given up for chance.
package concurrency
