// Package cost measures what each peer costs: CPU time, added latency and memory.
//
// The peers, the upstream and the load generator are processes of their own. Rounds go from
// peer to peer, so what disturbs the machine for a while disturbs all, and every figure is a
// list of rounds, of which the tables show the median and the quartiles.
package cost
