package priority

// whole is the virtual time of a turn of weight 1. All weights divide it.
const whole = 8

// Turns shares turns among the priorities by their weights. Who uses it keeps the queues, and
// tells how many wait in each, by Index. The zero value is ready. It is not safe for concurrent use.
type Turns struct {
	starts [Count]int64 // virtual time at which the next turn of each starts
	now    int64        // at which the latest one started
}

// turn is how much virtual time a turn takes.
func turn(i int) int64 { return whole / weights[i] }

// Begin tells that somebody of p waits now, and that nobody of it did.
func (t *Turns) Begin(p Priority) {
	i := p.Index()
	t.starts[i] = max(t.starts[i], t.now)
}

// Next returns whose turn it is of those of whom somebody waits, and whether anybody does.
func (t *Turns) Next(waiting *Counts) (Priority, bool) {
	next := -1
	for i, n := range waiting {
		if n > 0 && (next < 0 || t.starts[i] < t.starts[next]) {
			next = i
		}
	}
	if next < 0 {
		return Normal, false
	}
	return All[next], true
}

// Take counts a turn of p, whether it was its turn or not.
func (t *Turns) Take(p Priority) {
	i := p.Index()
	t.now = max(t.now, t.starts[i])
	t.starts[i] += turn(i)
}

// Ahead returns how many of each priority go before one of p before which own of its own
// priority go, if nobody comes or leaves. It costs the same whatever waiting is.
func (t *Turns) Ahead(p Priority, own int, waiting Counts) Counts {
	mine := p.Index()
	start := max(t.starts[mine], t.now)
	if waiting[mine] > 0 {
		start = t.starts[mine]
	}
	start += int64(own) * turn(mine)
	var ahead Counts
	for i, n := range waiting {
		if i == mine {
			ahead[i] = own
			continue
		}
		until := start - t.starts[i]
		if i < mine { // of two turns that start together the more urgent is first
			until++
		}
		ahead[i] = int(min(int64(n), (max(until, 0)+turn(i)-1)/turn(i)))
	}
	return ahead
}
