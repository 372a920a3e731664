package limit

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var writeLosses = flag.Bool("losses", false, "write testdata/losses.txt")

const (
	lossFile = "testdata/losses.txt"
	lossHead = "# kind and cases | seconds lost and requests refused: median | three quarters | most"
	// lossCases is how many cases there are of each way of enforcing and telling.
	lossCases = 20
)

// loss is what a case lost against a sender that knows all: the longest that a request
// was let through after the oracle's, in seconds, and how many were refused.
type loss struct{ Lag, Refused float64 }

func (p *played) loss() loss { return loss{p.lag.Seconds(), float64(p.result.refused)} }

// kinds are those a case counts for.
func (c *randomCase) kinds() []string {
	return []string{
		fmt.Sprint(c.enforce, ", told ", c.says), fmt.Sprint("enforced by ", c.enforce), fmt.Sprint("told ", c.says), "anything",
	}
}

// losses are those of the cases of one kind.
type losses struct {
	n                   int
	half, quarter, most loss
}

// TestTheLossAgainstTheOptimumIsWhatItWas plays the same cases in each run, so that it
// says the same in each, and holds their losses to what testdata/losses.txt says of
// them. A change that does no harm shifts them a little, those of a few cases more than
// those of many: allowed is a part of 1.5/√n more, half a second and three requests. The
// most is what one case lost, and may double.
//
// After a change that does better write the file anew: go test ./policy/limit -run
// TestTheLossAgainst -args -losses.
func TestTheLossAgainstTheOptimumIsWhatItWas(t *testing.T) {
	if testing.Short() {
		t.Skip("plays some hundred cases")
	}
	is := measureLosses()
	if *writeLosses {
		saveLosses(t, is)
	}
	known := readLosses(t)
	if len(known) != len(is) {
		t.Fatalf("%s tells of %d kinds, the cases are of %d", lossFile, len(known), len(is))
	}
	for kind, is := range is {
		was := known[kind]
		if was.n != is.n {
			t.Errorf("%s: %d cases, want %d as in %s", kind, is.n, was.n, lossFile)
			continue
		}
		part := 1 + 1.5/math.Sqrt(float64(is.n))
		hold(t, kind+": half of the cases", is.half, was.half, part, loss{0.5, 3})
		hold(t, kind+": three quarters of the cases", is.quarter, was.quarter, part, loss{0.5, 3})
		hold(t, kind+": all cases", is.most, was.most, 2, loss{20, 200})
	}
}

func hold(t *testing.T, what string, is, was loss, part float64, more loss) {
	t.Helper()
	most := loss{was.Lag*part + more.Lag, was.Refused*part + more.Refused}
	if is.Lag > most.Lag || is.Refused > most.Refused {
		t.Errorf("%s lost up to %.2f s and had %.0f refused, want at most %.2f s and %.0f", what, is.Lag, is.Refused, most.Lag, most.Refused)
	}
}

// TestNoCaseLosesFarMoreThanAnyOfItsKindDid draws other cases, where these are asked for:
// there is always one that loses more, so that it is worth a look and no more.
func TestNoCaseLosesFarMoreThanAnyOfItsKindDid(t *testing.T) {
	if seedWanted == "" && longWanted == "" {
		t.Skip("OUTRIGGER_TEST_SEED or OUTRIGGER_TEST_LONG asks for it")
	}
	known := readLosses(t)
	forSeeds(t, time.Second, func(seed uint64) error {
		c := drawCase(seed, "", "")
		is, was := c.play().loss(), known["enforced by "+string(c.enforce)].most
		if is.Lag > 2*was.Lag+20 || is.Refused > 2*was.Refused+200 {
			return fmt.Errorf("%v\nlost %+v, the most of its kind was %+v", c, is, was)
		}
		return nil
	})
}

func measureLosses() map[string]losses {
	all := map[string][]loss{}
	for i, e := range allEnforcing {
		for _, says := range allTellings { // of the same loads
			for seed := range uint64(lossCases) {
				c := drawCase(uint64(i*lossCases)+seed, e, says)
				l := c.play().loss()
				for _, kind := range c.kinds() {
					all[kind] = append(all[kind], l)
				}
			}
		}
	}
	is := map[string]losses{}
	for kind, l := range all {
		is[kind] = losses{len(l), quantile(l, 0.5), quantile(l, 0.75), quantile(l, 1)}
	}
	return is
}

// quantile is what a share of the cases did not exceed.
func quantile(all []loss, share float64) loss {
	at := func(of func(loss) float64) float64 {
		figures := make([]float64, len(all))
		for i, l := range all {
			figures[i] = of(l)
		}
		slices.Sort(figures)
		return figures[min(len(figures)-1, int(share*float64(len(figures))))]
	}
	return loss{at(func(l loss) float64 { return l.Lag }), at(func(l loss) float64 { return l.Refused })}
}

func saveLosses(t *testing.T, all map[string]losses) {
	t.Helper()
	var lines []string
	for kind, l := range all {
		lines = append(lines, fmt.Sprintf("%s: %d | %.2f %.0f | %.2f %.0f | %.2f %.0f", kind, l.n,
			l.half.Lag, l.half.Refused, l.quarter.Lag, l.quarter.Refused, l.most.Lag, l.most.Refused))
	}
	slices.Sort(lines)
	text := strings.Join(append([]string{lossHead}, lines...), "\n") + "\n"
	if err := os.WriteFile(lossFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readLosses(t *testing.T) map[string]losses {
	t.Helper()
	text, err := os.ReadFile(lossFile)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]losses{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		kind, figures, _ := strings.Cut(line, ": ")
		var l losses
		if _, err := fmt.Sscanf(figures, "%d | %g %g | %g %g | %g %g", &l.n, &l.half.Lag, &l.half.Refused,
			&l.quarter.Lag, &l.quarter.Refused, &l.most.Lag, &l.most.Refused); err != nil {
			t.Fatalf("%s: %q: %v", lossFile, line, err)
		}
		all[kind] = l
	}
	return all
}
