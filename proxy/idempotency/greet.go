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
		s.changed(ofReach, slog.LevelWarn, toldAway, slog.String("error", err.Error()))
	}
}

// What may change of the store.
const (
	ofReach = "reach"
	ofRoom  = "room"
)

// changed tells of the store's state.
func (s *Calls) changed(what string, level slog.Level, message string, fields ...slog.Attr) {
	observe.Changed(s.recorder, observe.ChangeStore, what, level, message, fields...)
}
