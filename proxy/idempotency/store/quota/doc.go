// Package quota decides who makes room in a bounded store: who fills it.
//
// When room is needed, the owner that has most loses answers: those of its computes before
// those of its creates. Of a create it stays known that it was carried out, while there is
// room for that. Creates whose outcome is unknown are never evicted before their TTL ends,
// whoever fills the store. Where their places are taken, new creates are refused with
// ErrFull, for which nothing was sent: forgetting one could run it twice. One owner can take
// half of the places, so its flood refuses its own creates first.
package quota
