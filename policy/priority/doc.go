// Package priority has the three priorities of requests, and shares turns among them by
// weight. It is pure, and knows neither queues nor time. Start with Turns.
//
// # Weights
//
// Of 13 turns that all three want, high gets 8, normal 4 and low 1. A priority that nobody waits
// for leaves its share to the others by their weights: between high and low alone it is 8 to 1.
// Strict priority would starve low for as long as high is busy, so that a nightly job never ends.
//
// # How turns are counted
//
// Start-time fair queueing (Goyal, Vin and Cheng, 1996): each turn of a priority takes 8 divided by
// its weight of virtual time, and the priority whose next turn starts first is next. What one did
// not use while nobody waited for it is not made up for later.
package priority
