package fleet

import (
	"slices"
	"strings"
)

// zset is a sorted set: a thousand sidecars are in one.
type zset struct {
	scores map[string]float64
	order  []zmember
}

type zmember struct {
	name  string
	score float64
}

func (z *zset) place(m zmember) int {
	i, _ := slices.BinarySearchFunc(z.order, m, func(a, b zmember) int {
		switch {
		case a.score < b.score:
			return -1
		case a.score > b.score:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	return i
}

func (z *zset) add(name string, score float64) {
	z.remove(name)
	m := zmember{name, score}
	z.order = slices.Insert(z.order, z.place(m), m)
	z.scores[name] = score
}

func (z *zset) remove(name string) {
	if score, ok := z.scores[name]; ok {
		i := z.place(zmember{name, score})
		z.order = slices.Delete(z.order, i, i+1)
		delete(z.scores, name)
	}
}

// below returns how many have a lower score.
func (z *zset) below(score float64) int { return z.place(zmember{"", score}) }
