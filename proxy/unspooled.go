package proxy

import (
	"log/slog"
	"sync"
	"time"
)

// unspooledEvery is how often at most the log says why bodies cannot be spooled: a full
// disk fails each of them.
const unspooledEvery = time.Minute

// newUnspooled returns a function that logs why a body could not be spooled, now and then.
func newUnspooled(directory string, log *slog.Logger) func(why error) {
	var mu sync.Mutex
	var told time.Time
	var untold int
	return func(why error) {
		mu.Lock()
		defer mu.Unlock()
		untold++
		now := time.Now()
		if !told.IsZero() && now.Sub(told) < unspooledEvery {
			return
		}
		log.Warn("request bodies cannot be spooled to disk: they are kept in memory while there is room",
			slog.String("error", why.Error()), slog.String("directory", directory), slog.Int("bodies", untold))
		told, untold = now, 0
	}
}
