package limit

// amounts count what requests ask for, in each unit.
type amounts [units]int64

func (a amounts) minus(b amounts) amounts {
	for u := range units {
		a[u] -= b[u]
	}
	return a
}

// output tells requests apart that bound their output and those that do not.
type output uint8

const (
	outputBounded output = iota
	outputUnbounded
	outputs
)

// of counts the requests of one kind.
func (a amounts) of(o output) float64 {
	if o == outputUnbounded {
		return float64(a[unitUnbounded])
	}
	return float64(a[unitRequest] - a[unitUnbounded])
}

// output is the kind of one request, or of several that which is unbounded if any is.
func (a amounts) output() output {
	if a[unitUnbounded] > 0 {
		return outputUnbounded
	}
	return outputBounded
}

// amounts are what w asks for.
func (w *Waiter) amounts() amounts {
	var a amounts
	for u := range units {
		a[u] = w.cost(u)
	}
	return a
}

// tariff is what a slot charges for tokens. The zero value charges the estimate.
type tariff struct {
	ratio float64          // real cost per estimated cost, 0 while not measured
	fixed [outputs]float64 // what each request is charged beside that
}

// factor is the real cost per estimated cost.
func (p *tariff) factor() float64 {
	if p.ratio == 0 {
		return 1
	}
	return p.ratio
}

// constants reports whether requests are charged more than their estimate explains.
func (p *tariff) constants() bool { return p.fixed != [outputs]float64{} }

// constant is what of the charge for a does not depend on the estimate.
func (p *tariff) constant(a amounts) float64 {
	return p.fixed[outputBounded]*a.of(outputBounded) + p.fixed[outputUnbounded]*a.of(outputUnbounded)
}

// charge is what a slot of unit u charges for a, in units.
func (p *tariff) charge(u unit, a amounts) float64 {
	if u != unitToken {
		return float64(a[u])
	}
	return float64(a[unitToken])*p.factor() + p.constant(a)
}
