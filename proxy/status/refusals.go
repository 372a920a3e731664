package status

import (
	"time"

	"outrigger/proxy/lane"
	"outrigger/proxy/negative"
	"outrigger/proxy/response"
	"outrigger/proxy/wire"
)

// refusals adds what is answered from memory at u.
func (s *UpstreamStatus) refusals(u *lane.Lane) {
	var keys []negative.Key // of s.Trips; asked again below, since the cache is locked meanwhile
	var streaks []negative.Key
	u.Trips.Trips.Each(func(key negative.Key, answer *response.Buffered, until time.Time) bool {
		v := answer.Verdict
		trip := TripStatus{
			Credential: key.Credential.Label(), Model: wire.LabelText(key.Model), Until: until,
			Outcome: v.Outcome.String(), Status: answer.Status, Code: v.Error.Code,
		}
		if v.Trip {
			s.Trips, keys = append(s.Trips, trip), append(keys, key)
			return true
		}
		var since time.Time
		n := 0
		if ln := u.Queues.Known(key.Key); ln != nil {
			since, n = ln.Refusals.Since()
		}
		s.Streaks, streaks = append(s.Streaks, StreakStatus{trip, since, n}), append(streaks, key)
		return true
	})
	for i, key := range keys {
		s.Trips[i].First = u.Trips.Trips.Since(key)
	}
	for i, key := range streaks {
		s.Streaks[i].First = u.Trips.Trips.Since(key)
	}
}
