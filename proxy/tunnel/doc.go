// Package tunnel carries a WebSocket both ways to its end.
//
// Carry takes the caller's connection over from the server. httputil.ReverseProxy has a
// tunnel too, but it closes both connections at the first failed write, and with that it
// loses what the other side said last: its Close frame. Here the other side has
// PartingTime to finish. Package wsframe follows the frames: their Close frame tells how
// the tunnel ended.
//
// Calls inside a tunnel are neither paced nor retried.
package tunnel
