package loop

import (
	"outrigger/proxy/call"
	"outrigger/proxy/wire"
)

// MayBeDone reports whether a create that has ended without a whole answer may have
// been carried out all the same.
func (c *Run) MayBeDone(status int) bool {
	r := &c.Record
	switch {
	case r.Attempts == 0:
		return false
	case status == 0 && c.Current == nil && !c.doubtful:
		return false // it ended between attempts, each of which had its answer
	case c.doubtful: // an earlier attempt may have, whatever the last one was told
		return true
	case r.Source == call.SourceLocal:
		return r.ErrorCode == "upstream_ambiguous" || r.ErrorCode == "upstream_broke"
	}
	return status == 0 || wire.IsSuccess(status) || r.Uncertain(status)
}
