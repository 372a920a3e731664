// Package concurrency learns how many calls an upstream runs at once, from the calls
// that it refuses: the counterpart of the learned rate of package limit. It is pure: no
// clock, no timer, no lock; every method is told the time, and the caller locks.
//
// # The estimate
//
// There is no limit until a refusal shows one. Then the limit is the number of calls
// that had been accepted and were still running when the refused one arrived. Refused
// calls never enter it, so a burst of which most is refused gives the same limit as one
// call too many, and long calls, whose rounds take minutes, cannot make it collapse.
//
// Latency is no signal: that of a language model follows the length of its answers, and
// baselines taken from it drift (Netflix/concurrency-limits#165, envoyproxy/envoy#11579).
//
// # Growth
//
// One call more than the limit is sent as a probe after half a second. A refusal comes
// about as fast as refusals came before, so silence for twice that long is consent: the
// limit grows by the probe, and the next probe is twice as large and due at once. A
// refused probe costs one call. The next one is again of size one and waits twice as
// long, up to 20 s. So a limit that doubles is found within about 20 s plus one second,
// and a limit that stays costs three probes a minute. Only a full limit is probed.
//
// # Falsification
//
// An upstream that refuses at random has no such limit. It shows itself by
// contradiction: a call is refused beside fewer running ones than another call, sent
// since the last refusal, was accepted beside. A refusal that contradicts lowers nothing.
// Where they come to a tenth of the accepted calls the limit is dropped, and each drop
// doubles the number of refusals in a row that are needed before the next limit is
// believed, for ten minutes. Rarer ones are passed by the probes.
//
// A limit that falls is not taken for chance: after its first refusal nothing was
// accepted since the last one, so the following ones contradict nothing.
//
// A refusal while no other call runs says nothing about concurrency, unless it names it:
// then others use the limit up, and one call at a time finds out when they stop.
//
// # Refusals that do not say what they mean
//
// A bare 429 may be about the rate. It is tried as a limit of concurrency only while few
// calls were accepted in the last minute for the number that is running, that is, while
// calls are long. The next call, sent when one has ended, decides: if it is refused too,
// it was the rate. Later the limit is given up when refusals in a row have taken it under
// half. What names concurrency is never given up for chance.
package concurrency
