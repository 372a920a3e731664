// Package limits has what keeps the simulated upstream from doing the work of a request that
// is in order: dead credentials, limits of requests in progress and the capacity of the
// whole. It also tells limits by rate, which package meter counts, in the headers and texts
// of each provider.
package limits
