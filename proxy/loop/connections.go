package loop

import (
	"log/slog"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
	"outrigger/proxy/upstream"
)

// learnConnection tells the upstream's connections of attempt a.
func (x *Run) learnConnection(a *attempt.Attempt) {
	now := time.Now()
	doubt := a.HTTP2Failure()
	x.http1 = doubt > 0 && x.Up.HTTP1.Broke(now, doubt)
	x.stray = a.Failure == classify.Malformed
	switch a.Failure {
	case classify.Unreachable:
		if a.HTTP1 {
			x.Up.HTTP1.Unreachable(now)
		}
	case classify.None:
		if x.Up.HTTP1.Answered(now, a.HTTP1) {
			x.Recorder.Notice(observe.Notice{Level: slog.LevelWarn, Message: "an upstream's HTTP/2 fails and its HTTP/1.1 works: that is spoken for a while", Fields: []slog.Attr{
				slog.String("upstream", x.Up.Config.Name), slog.Duration("for", upstream.HTTP1Time),
			}})
		}
		x.Up.Fared(now, attempt.IsAway(a))
	case classify.Broke, classify.Timeout, classify.Refused, classify.Malformed:
		x.Up.Fared(now, true)
	}
}
