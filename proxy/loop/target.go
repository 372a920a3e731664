package loop

import "outrigger/proxy/lane"

// IsAsked reports whether u is what the caller had in mind, which then gets the path as
// the caller wrote it.
func (x *Run) IsAsked(u *lane.Lane) bool {
	if x.Target == "" || u.Authority() != x.Target {
		return false
	}
	below, _ := u.Relative(x.Asked.EscapedPath())
	return x.Below == "" || below == x.Below
}
