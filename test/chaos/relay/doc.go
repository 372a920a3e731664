// Package relay forwards TCP connections, and spoils them as networks do: it resets them, closes
// them early, cuts them in pieces, delays them, swallows what they carry. It knows nothing of HTTP
// but that a caller speaks first, so that it can spoil one exchange of a connection and not the
// next.
//
//	r, err := relay.Listen("127.0.0.1:0", upstream, seed)
//	r.Set(relay.Weather{Latency: 20 * time.Millisecond, Chance: map[relay.Kind]float64{relay.ResetAnswer: 0.1}})
//	defer r.Close()
//
// "Near" is the side of who connects, "far" the upstream's.
package relay
