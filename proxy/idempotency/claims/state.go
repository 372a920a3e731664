package claims

// State is what a store knows of a call.
type State uint8

// The states of a call. The zero State is none of them.
const (
	// Claimed: nobody has run the call. The caller that gets this state runs it.
	Claimed State = iota + 1
	// Running: another caller runs the call, since Claim.Since. Wait for its end.
	Running
	// Done: the call ended with Claim.Answer.
	Done
	// Unknown: a create that began at Claim.Since, whose answer is not known. It may have
	// been carried out, so the call must not run again.
	Unknown
	// Mismatch: the key belongs to a call with another fingerprint.
	Mismatch
)

// String returns the state's name in lower case.
func (s State) String() string {
	names := [...]string{"none", "claimed", "running", "done", "unknown", "mismatch"}
	if int(s) < len(names) {
		return names[s]
	}
	return "invalid"
}
