// Package limit decides when the requests of one credential and model may be sent, so that
// they queue instead of being refused, and learns from the answers how fast that is. Start
// with Limiter: Enter asks, Release admits, and Sent, Answered and Refused tell what became
// of each request. It is pure: no clock, no timer, no goroutine. Every method is told the
// time, and the caller locks. README.md shows what each mechanism gains.
//
// # The queue
//
// Tickets (Waiter) of one priority and caller stand in the order of their first arrival. One that
// was refused, or comes back for another attempt, keeps its place. Priorities get turns by weight
// (package priority), and callers of one priority take turns, one request each; who comes back goes
// before the others of its priority. For example, A has 100 in the queue and B comes with 2: they
// go after one of A's each. Only the head asks the buckets. While it waits for tokens, up to eight
// smaller ones that together cost no more than it does, and are as urgent, may pass it. A wait is
// foretold by what those cost who go before: all of its caller, as many rounds of the others, and of
// other priorities what their weights give them. That takes the same time however long the queue is.
// Nobody is admitted at or after its deadline, and one whose predicted wait outlasts that is
// turned away at once.
//
// # The buckets
//
// Each limit has a token bucket (golang.org/x/time/rate), in thousandths. A request that is
// larger than the bucket goes when that is full, and leaves debt. For example, one of 5,000
// tokens goes from a bucket of 4,000, and the next request waits until 1,000 and its own
// cost have come in. A configured limit is kept in every minute and in every second.
//
// # Headers
//
// A limit's window is believed if the header names it, or if the time that the used part
// takes to come back implies it. For example, a limit of 1200 of which 1100 remain, with a
// reset of 5 s: 5 s x 1200 / 100 is a minute. One answer proves a minute. For a second, and
// an hour or a day by a reset of up to a minute, a second answer with another usage must agree.
//
// Reset mode: where two answers name the same instant whatever is used, the limit is given
// out whole when a minute of the clock turns (fixed). Else it refills (sliding). Until that
// is known, what remains is a cap until the reset. A single request passes the cap after 1,
// 3, 9 ... seconds: if it is let through, the cap was wrong and is not believed for ten
// minutes. RateLimit's remaining of 0 holds everybody until its reset, but for one a minute.
//
// Plausibility: one answer of many may carry a gateway's header. So a limit that appears amid
// answers which told none, or that is under a fifth of the known one, needs a second answer
// that tells the same. For example, 1 per minute amid answers that tell 1200 changes nothing.
//
// # Texts of refusals
//
// Providers print wait = (used + requested - limit) / (limit / window). A text whose numbers
// fit proves its limit. For example, "Limit 60, Used 60, Requested 1, try again in 1s": 1 / (60
// per minute) is 1 s. The wait then tells the level of the bucket, too. A text that names a
// window of minutes and a wait that is not far shorter is a first estimate. A wait of over a
// minute that nothing proves is its own request's, until four of the last sixteen met one. One
// that is proven and longer than anybody waits turns requests away at once (Barred).
//
// # Charges
//
// An upstream charges a request a factor times the estimate of its tokens, plus a constant.
// The factor is measured between answers: if remaining fell by 700 while 1,000 were estimated,
// it is 0.7. The constant is for requests that leave their output unbounded, and is 0 until the
// factor cannot explain what is told. For example, a refusal that says "Requested 4196" for
// 100 estimated tokens shows a constant of 4,096. So do equal steps in what the answers to one
// burst tell that remains, and a refusal although its headers tell that enough is left.
//
// # Slow start
//
// While no limit is known, a burst goes out in growing steps, and silence is taken for consent.
// See package slowstart.
//
// # Refusals alone
//
// From one refusal to the next the upstream gives out exactly its limit. So what was let
// through between two congestion events, over the time, is the rate. For example, 100 were let
// through in the 5 s between two of them: 20 per second. The first guess is what was let through
// in the last second. A refusal leaves at least 85 % of an estimate, unless even one window of a
// second more would not explain that. The speed stays at 98 % of the estimate, and grows with
// the sixth power of the time without a refusal: hardly for 4 s, and to double after 8 s.
//
// A congestion event is a refusal with all that was admitted before it was acted on. After it
// one request probes alone, and the others follow when there was silence about it. While probes
// are refused, they go after three times as long each.
//
// The in-flight sample: what becomes of the requests that are under way at the first refusal
// shows the rate, too. If 5 of 25 that were sent within 250 ms after it are let through, that
// is 20 per second, and not the burst that the upstream had saved up.
//
// # Fixed windows
//
// Some upstreams give out a limit by the second, by ten seconds or by the minute, and what is
// not used of a window expires. A wait that is longer than the rate explains tells where a
// window ends. For example, 1200 per minute bring one request in 50 ms. A wait of 690 ms is no
// refill, so the next window begins then, and its 20 go out within its first fifth of a second.
// How long a window lasts is told by what was let through of the one that ended. If less than
// 90 % of the first is let through, later 70 %, there are no windows for ten minutes.
//
// Where no limit is known, a wait of 100 ms or more may be that for a window. Then as much is
// sent after it as went before, until something is refused (a probe for windows). If that took
// about as many, and its wait ends a second, ten or a minute after the first, that is the length.
//
// # Refusals that mean nothing
//
// A limit refuses what is over it. An upstream that refuses at random goes on at any rate. So a
// refusal that tells nothing counts when four of the last sixteen requests met one, or when
// each of five came after as many requests as the others (Believes). One that names a wait only
// counts while a limit explains it: a long queue, a bucket in use, little remaining (Chance).
// For example, one of ten is refused with "retry after 1 s", and 3 of 20 per second are used:
// the one request waits 1 s, and the others nothing. If four of sixteen are refused while less
// than two fifths is sent of what passed before, what rests on refusals is dropped.
//
// # Shared quotas
//
// Limiters that draw on one quota are found by package shared, and go on as one (Absorb). Where
// all of the quota is told to be left, they use it a little faster for a moment: what is told
// next shows whether they share it. Strangers may use a known limit, too. Three congestion events
// within six seconds in which less than four fifths of it was sent show that. The rate is then
// measured as if nothing were told, and grows back to the whole.
//
// # Slow Down
//
// One cut, to the average rate of the quarter of an hour before the spike, or to half of the
// present one. It is held for 15 minutes, and then grows by 50 % per 15 minutes. For example, 10
// per second rise to 40, and are cut to 10. While a queue stands and no more than 12.5 per
// second arrive, the ceiling is 25 to 45 % higher, so that the queue drains in two minutes.
package limit
