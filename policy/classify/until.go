package classify

import (
	"regexp"
	"time"
)

// untilRE finds an instant in a lower-cased text: "regain access on 2026-09-01 at 00:00 utc" (Anthropic) and
// "your limit will reset at 2026-03-06 22:19:54" (z.ai), "limit resets at: 2026-03-06 22:19:54 utc" (LiteLLM).
var untilRE = regexp.MustCompile(`(?:access|reset|resets|available|try again|until)[a-z ]{0,12}? ?(?:on|at|after|until)?:? ?` +
	`(\d{4}-\d\d-\d\d)(?:,? at |[ t])(\d\d:\d\d)(:\d\d)?\s*(utc|gmt|z)?`)

// beijing is the zone in which z.ai and Zhipu write times without one. It is also the careful guess: of the zones in
// use it gives almost the earliest instant, and coming too early costs one probe.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// until returns the instant at which the answer says that service comes back; zero if it names none that lies ahead.
func (r *reply) until() time.Time {
	at := r.resetsAt
	if at.IsZero() {
		at = textInstant(r.text)
	}
	if !at.After(r.Now) {
		return time.Time{}
	}
	return at
}

// textInstant reads the instant that a lower-cased text names.
func textInstant(text string) time.Time {
	m := untilRE.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}
	}
	zone := beijing
	if m[4] != "" {
		zone = time.UTC
	}
	if m[3] == "" {
		m[3] = ":00"
	}
	at, err := time.ParseInLocation(time.DateTime, m[1]+" "+m[2]+m[3], zone)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
