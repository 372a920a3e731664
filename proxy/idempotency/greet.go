package idempotency

import (
	"context"
	"errors"
	"log/slog"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/observe"
)

const toldAway = "the idempotency store does not answer: calls with a key are not stored, and creates refused"

// greet tells the log of a store that does not answer at the start, before the first
// call with a key meets it.
func (s *Calls) greet() {
	if _, err := s.Store.HashKey(context.Background()); errors.Is(err, claims.ErrUnavailable) && s.Reach.begin() {
		s.recorder.Notice(observe.Notice{Level: slog.LevelWarn, Message: toldAway, Fields: []slog.Attr{slog.String("error", err.Error())}})
	}
}
