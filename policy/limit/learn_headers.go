package limit

import "time"

func (l *Limiter) learnHeaders(now time.Time, w *Waiter, h Headers) {}
