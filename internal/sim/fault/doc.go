// Package fault holds the simulator's troubles: the kinds of them, the rules that
// say which requests meet which, and a catalogue of real error answers. It decides
// and never acts; the simulator does to the connection what a rule says.
package fault
