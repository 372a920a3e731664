package limit

// Buckets are most of a limiter's size, and callers can make up credentials and models as
// they like. So a bucket is there from when something is learned for it.

// bare stands for each bucket of which nothing is known. It is never written to.
var bare bucket

// at returns the bucket of a slot to read from.
func (l *Limiter) at(s slot) *bucket {
	if b := l.opened[s]; b != nil {
		return b
	}
	return &bare
}

// bucket returns the bucket of a slot to write to.
func (l *Limiter) bucket(s slot) *bucket {
	if l.opened[s] == nil {
		l.opened[s] = &bucket{}
		l.opened[s].reading.continuous = l.flows[s]
	}
	return l.opened[s]
}

// shut forgets all of a bucket but how it charges.
func (l *Limiter) shut(s slot) {
	l.flows[s] = false
	b := l.opened[s]
	if b == nil {
		return
	}
	if *b = (bucket{tariff: b.tariff}); b.tariff == (tariff{}) {
		l.opened[s] = nil
	}
}

// continuous notes whether a slot refills continuously, of which nothing else may be known.
func (l *Limiter) continuous(s slot, is bool) {
	if b := l.opened[s]; b != nil {
		b.reading.continuous = is
		return
	}
	l.flows[s] = is
}
