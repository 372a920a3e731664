package limit

import (
	"cmp"
	"container/heap"
	"slices"

	"outrigger/policy/priority"
)

// class holds the waiters of one priority by caller. The callers take turns; who came back goes
// before those who came for the first time.
type class struct {
	priority priority.Priority
	lanes    lanes            // a heap of the callers that wait: who is next is first
	callers  map[uint64]*lane // the same
	spare    *lane            // one that nobody waits in, for the next caller
	round    int64            // that of the caller who was served last
	levels   levels           // how many callers have how many who came for the first time
	back     int              // how many came back
	length   int
	cost     [units]int64
}

// head returns who is next. Somebody waits.
func (c *class) head() *Waiter { return c.lanes[0].head() }

// laneOf returns a caller's, nil if nobody of it waits.
func (c *class) laneOf(caller uint64) *lane {
	switch {
	case c == nil || len(c.lanes) == 0:
		return nil
	case c.lanes[0].caller == caller:
		return c.lanes[0]
	}
	return c.callers[caller]
}

// join puts w into its caller's lane, which is made if there is none.
func (c *class) join(w, before *Waiter, fresh bool) {
	ln := c.laneOf(w.Caller)
	added := ln == nil
	if added {
		ln = c.open(w.Caller)
	}
	w.lane = ln
	ln.insert(w, before, fresh)
	if fresh {
		ln.fresh++
		c.levels.add(ln.fresh, 1)
	} else {
		c.back++
	}
	c.count(ln, w, 1)
	if added {
		heap.Push(&c.lanes, ln)
	} else {
		heap.Fix(&c.lanes, ln.index)
	}
}

// open makes a lane that is not in the heap yet.
func (c *class) open(caller uint64) *lane {
	ln := c.spare
	if ln == nil {
		ln = &lane{class: c}
	}
	c.spare = nil
	ln.caller, ln.round = caller, c.round
	if c.callers == nil {
		c.callers = map[uint64]*lane{}
	}
	c.callers[caller] = ln
	return ln
}

// remove takes w out.
func (c *class) remove(w *Waiter) {
	ln := w.lane
	if w.state == stateFresh {
		c.levels.add(ln.fresh, -1)
		ln.fresh--
	} else {
		c.back--
	}
	ln.remove(w)
	w.lane, w.state = nil, stateIdle
	c.count(ln, w, -1)
	if ln.length > 0 {
		heap.Fix(&c.lanes, ln.index)
		return
	}
	heap.Remove(&c.lanes, ln.index)
	delete(c.callers, ln.caller)
	c.spare = ln
	if c.length == 0 && len(c.levels) > mostLevels {
		c.levels = nil
	}
}

func (c *class) count(ln *lane, w *Waiter, sign int) {
	c.length += sign
	ln.length += sign
	for u := range units {
		cost := int64(sign) * w.cost(u)
		c.cost[u] += cost
		ln.cost[u] += cost
	}
}

// ahead returns how many go before one of a caller's that came now, and what they cost: all of
// its own, and of each other one round more at most.
func (c *class) ahead(caller uint64) (int, [units]int64) {
	mine := c.laneOf(caller)
	if mine == nil {
		mine = &lane{}
	}
	n := c.levels.sum(mine.fresh+1) + c.back
	others, of := n-mine.length, c.length-mine.length
	if others == of {
		return n, c.cost
	}
	cost := mine.cost
	for u := range units {
		cost[u] += part(c.cost[u]-mine.cost[u], others, of)
	}
	return n, cost
}

// add adds to cost what n of those who wait cost on average.
func (c *class) add(cost *[units]int64, n int) {
	for u := range units {
		cost[u] += part(c.cost[u], n, c.length)
	}
}

// part is what n of a number cost on average that cost so much.
func part(cost int64, n, of int) int64 {
	if n == of {
		return cost
	}
	return int64(float64(cost) * float64(n) / float64(of))
}

// order is that in which the waiters of a class go.
type order struct {
	back  []*Waiter
	turns []*Waiter // the next of each caller, from at on those who had no turn in this round
	at    int
}

// order returns it. Those who were returned may leave the queue.
func (c *class) order() order {
	all := slices.Clone(c.lanes)
	slices.SortFunc(all, func(a, b *lane) int {
		return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.head().seq, b.head().seq))
	})
	var o order
	for _, ln := range all {
		o.back = append(o.back, ln.back...)
		if ln.first != nil {
			o.turns = append(o.turns, ln.first)
		}
	}
	slices.SortFunc(o.back, func(a, b *Waiter) int { return cmp.Compare(a.seq, b.seq) })
	return o
}

// next returns who is next, before who is returned may leave. Somebody is.
func (o *order) next() *Waiter {
	if len(o.back) > 0 {
		w := o.back[0]
		o.back = o.back[1:]
		return w
	}
	if o.at == len(o.turns) {
		o.at = 0
		o.turns = slices.DeleteFunc(o.turns, func(w *Waiter) bool { return w == nil })
	}
	w := o.turns[o.at]
	o.turns[o.at] = w.next
	o.at++
	return w
}
