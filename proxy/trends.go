package proxy

import (
	"hash/maphash"

	"outrigger/policy"
)

// trends are those of one upstream, by path and model: one that is down says nothing
// of the others. Their number is fixed, since callers name both; two that meet in one
// are taken for one.
type trends struct {
	seed maphash.Seed
	all  [64]policy.Trend
}

func newTrends() *trends { return &trends{seed: maphash.MakeSeed()} }

func (t *trends) of(path, model string) *policy.Trend {
	return &t.all[(maphash.String(t.seed, path)^3*maphash.String(t.seed, model))%uint64(len(t.all))]
}
