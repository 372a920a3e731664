// Package meter counts what credentials use of their rate limits and says what
// is refused, when it would be admitted, and what the limit headers show. It is
// the server's side of a rate limit: pure arithmetic on times that are passed in.
//
// # Decisions
//
// What is announced and what is enforced are two things. Headers show the minute
// (or day) as one continuous bucket; Limit.Enforce decides over what stretch of
// time the limit really holds. Providers do the same: OpenAI documents that 60 per
// minute may be enforced as 1 per second (help.openai.com/en/articles/5955604).
//
// A refusal's numbers are whole, as in real messages, and its exact hint follows
// from them: wait = (Used + Requested - Limit) / (Limit / window), which holds to
// the printed digit in every real message known to us ("Limit 30000, Used 22999,
// Requested 12528. Please try again in 11.054s"). Used is rounded up, so the wait
// that is named is always enough for a lone client.
//
// A request that costs more than the bucket holds, but not more than the limit,
// is admitted when the bucket is full and leaves it in debt.
package meter
