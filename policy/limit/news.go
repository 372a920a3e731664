package limit

import (
	"math"
	"time"
)

// News is a limit that was learned, has changed, or is known no more.
type News struct {
	Dimension string // as of Bucket
	// Limit is how many may be used in Window, 0 if nothing is known any more. Before is the
	// limit that was told last, 0 if none was.
	Limit, Before float64
	Window        time.Duration
	Source        Source
}

// newsLeast is the change of a limit that is worth telling.
const newsLeast = 0.1

// lastNews is what was told of a limit.
type lastNews struct {
	limit  float64
	window time.Duration
}

// News returns what is worth telling of the limits since it was called last: what was learned or
// forgotten, and changes by a tenth or more. A configured limit is no news by itself. It does
// not allocate while there is none.
func (l *Limiter) News(now time.Time) []News {
	var news []News
	for _, s := range l.active {
		b := l.at(s)
		limit, window := b.told()
		was := l.wasTold(s)
		switch {
		case was.limit > 0 && was.window == window && math.Abs(limit-was.limit) < newsLeast*was.limit:
			continue
		case limit > 0 && (was.limit > 0 || b.source != SourceConfigured):
			news = append(news, News{s.String(), limit, was.limit, window, b.source})
		}
		if l.lastTold == nil {
			l.lastTold = &[slots]lastNews{}
		}
		l.lastTold[s] = lastNews{limit, window}
	}
	if l.lastTold == nil {
		return news
	}
	for s := range slots {
		if was := l.lastTold[s]; was.limit > 0 && !l.at(s).active {
			news = append(news, News{Dimension: s.String(), Before: was.limit, Window: was.window})
			l.lastTold[s] = lastNews{}
		}
	}
	return news
}

func (l *Limiter) wasTold(s slot) lastNews {
	if l.lastTold == nil {
		return lastNews{}
	}
	return l.lastTold[s]
}

// told is the limit of a bucket as a snapshot has it.
func (b *bucket) told() (float64, time.Duration) {
	if b.window == 0 {
		return b.estimate.rate * 60, time.Minute
	}
	return b.limit, b.window
}
