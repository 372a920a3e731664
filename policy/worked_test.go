package policy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
)

type doubt struct{ Lately, Before bool }

func doubts(w *policy.Worked[key], now time.Time, k key) doubt {
	lately, before := w.Doubt(now, k)
	return doubt{lately, before}
}

func TestWorked_TellsItsStory(t *testing.T) {
	t.Parallel()
	w := policy.NewWorked[key](10)
	equal(t, "never worked", doubts(w, start, key{1}), doubt{})
	w.Succeeded(start, key{1})
	equal(t, "another", doubts(w, start, key{2}), doubt{})
	equal(t, "worked", doubts(w, after(5*time.Minute), key{1}), doubt{Lately: true})
	equal(t, "refused before", doubts(w, after(5*time.Minute), key{1}), doubt{true, true})
	w.Succeeded(after(5*time.Minute), key{1})
	equal(t, "worked since", doubts(w, after(5*time.Minute), key{1}), doubt{Lately: true})
	equal(t, "long ago", doubts(w, after(11*time.Minute), key{1}), doubt{})
	w.Succeeded(after(11*time.Minute), key{1})
	w.Forget(key{1})
	w.Forget(key{1}) // twice is once
	equal(t, "confirmed dead", doubts(w, after(11*time.Minute), key{1}), doubt{})
}

func TestWorked_StaysBoundedAndKeepsTheLatest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const limit = 3
		w := policy.NewWorked[key](limit)
		var order []key // the latest last
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Second)
			k := key{rapid.Byte().Draw(t, "key") % 6}
			for i, other := range order {
				if other == k {
					order = append(order[:i:i], order[i+1:]...)
					break
				}
			}
			w.Succeeded(now, k)
			order = append(order, k)
		}
		kept := map[key]bool{}
		for _, k := range order[max(0, len(order)-limit):] {
			kept[k] = true
		}
		for i := range byte(6) {
			if lately, _ := w.Doubt(now, key{i}); lately != kept[key{i}] {
				t.Fatalf("key %d: worked lately %t, want %t", i, lately, kept[key{i}])
			}
		}
	})
}
