package negative

import (
	"hash/maphash"

	"outrigger/policy"
)

// Trends are those of one upstream, by path and model: one that is down says nothing
// of the others. Their number is fixed, since callers name both; two that meet in one
// are taken for one.
type Trends struct {
	seed maphash.Seed
	all  [64]policy.Trend
}

// NewTrends returns trends that have seen nothing.
func NewTrends() *Trends { return &Trends{seed: maphash.MakeSeed()} }

// Of returns the trend of calls to a path and model.
func (t *Trends) Of(path, model string) *policy.Trend {
	return &t.all[(maphash.String(t.seed, path)^3*maphash.String(t.seed, model))%uint64(len(t.all))]
}
