// Package limit decides when the requests of one account and model may be sent, so
// that they wait in order instead of being refused, and learns from the answers how
// fast that is. Start with Limiter: Enter asks, Release hands out, and Sent, Answered
// and Refused tell what became of each request. It is pure: no clock, no timer, no
// goroutine; every method is told the time, and the caller locks.
//
// # The line
//
// Waiters stand in the order of their first arrival; one that was refused, or that
// comes back for another attempt, keeps its place. Joining, leaving from anywhere and
// the predicted wait cost the same however long the line is. Only the head asks the
// buckets. While it waits for tokens, up to eight smaller ones that together cost no
// more than it does may go ahead: it waits at most twice as long. Nobody is admitted
// at or after the end of its time, and one whose predicted wait outlasts it is turned
// away at once (Enter, Refused, and Expel for those already waiting). A Waiter takes
// under 300 bytes.
//
// # The accounts
//
// golang.org/x/time/rate keeps each account, in thousandths, without reservations:
// a reservation cannot follow what is learned later. What it lacks is made of what it
// has: SetBurstAt down and up again takes tokens away, and so makes debt.
//
// A request larger than an account is admitted when that is full and charged in full,
// which leaves debt. Growing the account to the request's cost instead would make it
// wait after any idleness, and let that much through twice in a minute. Only where a
// refusal shows that the upstream wants the whole cost at once does the account grow.
//
// A configured limit is kept in every minute, and in every second: 98 % of its rate,
// evenly, with 20 ms in hand for late timers; after idleness what is left of a second's
// share at once, which is charged as debt and so followed by silence. A plain bucket of
// that size would let nearly two seconds' worth through in the second after a pause.
//
// # What is believed
//
// Headers: a limit's window is believed if the header names it, or if the time that
// the used part takes to come back implies it (reset x limit / used, within 25 % of a
// second, a minute, an hour or a day, by a reset of at least 20 of its smallest
// steps). One such answer proves a minute, and an hour or a day if the reset is over a
// minute; else a second one with another usage must agree, since the end of a fixed
// minute looks like any window once in a while. A limit whose window is not known
// counts per minute, and what remains of it is then a cap until the reset. Where the
// reset names the same instant whatever is used, a minute of the clock gives out all at
// once: in its middle one answer looks as if it refilled, and at its begin as if it took
// hours. So two answers tell, and what remains of a new minute may go at once. A limit
// that is not exceeded while answers tell it is the only one that is never tried.
//
// Such a cap could be wrong for ever, because it keeps out what would refute it. So a
// single request passes it after 1, 3, 9 … seconds (20, 60 in such a minute); if that is let through and the
// answer still says that nothing is left, remainders are not believed for ten minutes.
//
// RateLimit and RateLimit-Policy name the time before which no more than what remains is served, be the limit known or
// not. This is kept, and where that time is over a minute away a single request tries after a minute.
//
// Refusals: hint = (used + requested - limit) / (limit / window) proves a text. The
// wait then says how full the bucket is. A text that proves nothing, but names a
// window of minutes and a wait that is no shorter than half of that formula, is a
// first estimate (limits that are enforced by the second say so). Everything else is
// ignored and counted. A wait of over a minute that nothing proves concerns its own
// request alone, until four of the last sixteen met one: then everybody waits a minute. One
// that is proven, or beside which the text names a limit for so long, is everybody's who needs more
// than is left: where the operator lets nobody wait for so long they are told at once (Barred), but
// for one a minute.
// A limit that appears amid answers which tell none, or far under the one they tell, is
// believed when a second answer says the same. Where only a reset header tells a wait,
// which is until all of the limit is there, and it refills, what is missing of the request
// comes in before (fits).
//
// # Token charges
//
// An upstream charges a factor times the estimate, plus a constant for each request: some
// reserve thousands of tokens for a call without max_tokens. The factor is measured between
// answers. The constant, one for requests that bound their output and one for those that do
// not, is 0 until the factor cannot explain what is told: a refusal names what it Requested,
// the answers to one burst tell remainders in equal steps (fall), or a request is refused
// while its headers tell that enough is left. What remaining fell by over longer includes what
// others use, so it only lowers a constant. While more is used than what was sent explains,
// and not all answers to the first burst are in, the ramp lets no more go at once.
//
// # Bursts
//
// What remains of a minute may not all come at once. So bursts over a second's share
// go out in growing steps; if one is refused while there should have been plenty, only
// even sending is tried for ten minutes. What went out without a refusal goes out at
// once the next time.
//
// # Shares
//
// Some upstreams give out a limit in equal shares of time, and what is not used of one
// expires: by the second (help.openai.com/en/articles/5955604), by ten (Azure), by the
// minute of the clock. A refusal shows it by a wait that is longer than the rate explains;
// its end is where a share begins. How long one lasts is told by what was let through of
// the one that ended: as much as the limit gives out in that time. From there on each
// share goes out as it begins, over a fifth of a second or a fiftieth of it. Paced evenly
// the last requests of a burst would take a share longer, and a share's part is lost
// whenever a timer is late. If less than 90 % of the first is let through, later 70 %, or
// twice less than 95 %, there are no such shares, or others use them too, and for ten
// minutes requests are paced evenly. Whether refusals are taken off the next share is
// found out by the first one that is. A wait that is only the reset of a header begins a
// share where that is the whole limit's.
//
// Where no limit is known, a wait of a tenth of a second or more may be that for a share
// (over a long way, one that is not rounded up). Then as much is sent after it as went
// before, until something is refused. If that took about as many, and its wait ends a
// second, ten or a minute after the first one, this is how long a share lasts and what it
// holds.
//
// # Cold start
//
// Silence is consent: a refusal comes within a round trip, an answer may take minutes.
// First 4 requests; then each step of 150 ms, counted from the first that was written
// to the wire, twice as many as before and four times as many once any answer has come,
// spread evenly over the step. Steps last at least three round trips as the first dial
// shows them (a dial takes about two), and then only double: with a constant factor of
// three, a long round trip costs two to three times as many refusals. What goes out until
// the first refusal can be heard of, all of which may be refused, is at most a tenth of
// those who want to go, or a quarter of those who went.
//
// # Refusals alone
//
// Cutting to 0.7 of the rate and growing by steps loses a fifth of a limit for good.
// Instead the rate is measured: from one refusal to the next the upstream gives out
// exactly its limit, so what was let through between two of them, over the time, is
// the rate. The first guess is what was let through in the last second. A refusal
// leaves at least 85 % of an estimate, since a second's share that ended early looks
// like a low rate, unless even one share more in that time would not explain it. So a
// first guess that was a burst is gone with the second refusal; over a long way with the
// first, by what becomes of the requests that are under way then (tailRate). Speed
// then stays just under the estimate, and grows with the sixth power of the time
// without a refusal: hardly for four seconds, to double after eight. It grows only
// while somebody waits for it. Each refusal is followed by one request alone, and by
// the rest when there was silence about that one; while it is refused too, the next
// follows after three times as long, with two short waits where a second ends.
//
// What was admitted before the last refusal was acted on belongs to the same episode
// and changes nothing more.
//
// A refusal that tells nothing at all is believed when four of the last sixteen requests
// met one, or each of the last five came after as many requests as the others: at little
// over a limit each so many-th is refused (Believes). An upstream that refuses at random goes on at any rate; so if four
// of sixteen are refused while less than two fifths is sent of what passed within the last
// minutes, they mean nothing: what rests on them is dropped, and for ten minutes nothing
// less than seven in ten counts.
//
// One that names a wait and nothing more is believed at once where a limit explains it: while
// many wait, most of what a bucket gives out is used, or headers tell that less than half
// remains. Else it costs its own request that wait and the others nothing, until four in a
// row or seven of the last sixteen met one; after six amid others that passed it takes ten for
// ten minutes (Chance).
//
// # Others
//
// Keys of one organization, and sidecars of one key, share a limit, and each of their
// limiters is told the whole of it. Limiters of one process that do are found out
// (Siblings) and go on as one (Absorb). The proof is arithmetic: the level that an answer
// tells follows from the one that another's answer told and from what both have sent
// since, and not from what its own limiter has sent. Only levels for which the two differ
// clearly count, and eight in a row must fit, one more for each that ever did not; and no
// constant may explain them, as of a pod that sends the same, or of an upstream that
// charges two for each. What fits each one alone four times in a row parts them again.
// What is used of an account that two share is just what comes in, which looks like two
// full ones: so where all of a limit is told to be left, one that goes on for several
// uses it a little faster.
//
// Others than those may use a known limit too: three
// episodes within six seconds in which less than four fifths of it was sent show that
// they do. From then on the rate is measured as if nothing were told, from a twelfth of
// the limit on, until it has grown to the whole of it without a refusal.
//
// # Slow Down
//
// One cut, to the average rate of the quarter of an hour before the spike, or to half
// the present one if there was none; held for 15 minutes; then 50 % more per 15 minutes.
// What is told meanwhile only pauses everybody.
//
// While a queue stands and no more than about the old rate arrives, the ceiling is 25 to
// 45 % higher, so that what a spike left behind drains in about two minutes. Over the hold
// this adds at most a fifth. Slow Down said to what the margin admitted halves it.
package limit
