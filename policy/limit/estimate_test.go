package limit

import (
	"math"
	"testing"
	"time"
)

func TestSpeedStaysUnderAnEstimateAndThenGrows(t *testing.T) {
	const s = time.Second
	tests := map[string]struct {
		e    estimate
		at   time.Duration
		want float64
	}{
		"at first":                {estimate{rate: 20, unit: 1}, 0, 19.6},
		"after half a quiet time": {estimate{rate: 20, unit: 1}, 2 * s, 19.606},
		"after one":               {estimate{rate: 20, unit: 1}, 4 * s, 20},
		"doubled after two":       {estimate{rate: 20, unit: 1}, 7700 * time.Millisecond, 40},
		"no more after three":     {estimate{rate: 20, unit: 1}, time.Hour, 20 * (0.98 + 0.02*729)},
		"a slow one":              {estimate{rate: 1, unit: 1}, 40 * s, 1},
		"a slow one that is firm": {estimate{rate: 1, unit: 1, firm: true}, 400 * s, 1},
		"a doubtful one":          {estimate{rate: 20, unit: 1, doubtful: true}, 2 * s, 20},
		"a far one":               {estimate{rate: 20, unit: 1, slow: 1}, 8 * s, 20},
		"large requests":          {estimate{rate: 2000, unit: 400}, 8 * s, 2000},
		"before its time":         {estimate{rate: 20, unit: 1, from: 10 * s}, 0, 19.6},
		"next to nothing known":   {estimate{rate: 1, unit: 1, doubling: true}, 3 * s, 1},
		"doubled once":            {estimate{rate: 1, unit: 1, doubling: true}, 4 * s, 2},
		"and twice":               {estimate{rate: 1, unit: 1, doubling: true}, 6 * s, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.e.speed(tt.at); math.Abs(got/tt.want-1) > 0.005 {
				t.Errorf("got %.3f, want %.3f", got, tt.want)
			}
		})
	}
}

func TestARateIsMeasuredBetweenRefusals(t *testing.T) {
	const s = time.Second
	e := estimate{rate: 30, unit: 1}
	for _, m := range []mark{{0, 0, 0}, {s, 12, 12}, {2500 * time.Millisecond, 50, 50}} {
		e.mark(m.at, m.accepted, m.sent)
	}
	tests := map[string]struct {
		at       time.Duration
		accepted int64
		rate     float64
		most     float64
	}{
		"too near":                   {500 * time.Millisecond, 10, 0, math.Inf(1)},
		"the most of those near":     {3 * s, 60, 24, 61 / 2.0},
		"the latest, if all are old": {20 * s, 400, 20, 402 / 19.0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rate, most := e.measured(tt.at, tt.accepted, tt.accepted)
			if math.Abs(rate-tt.rate) > 1e-9 || math.Abs(most-tt.most) > 1e-9 && most != tt.most {
				t.Errorf("got %v and %v, want %v and %v", rate, most, tt.rate, tt.most)
			}
		})
	}
}

// TestAFirstGuessThatABurstMadeFallsAtOnce lets a burst of 115 through in the second before
// the first refusal, and then 20 in a second: no share by the second explains more.
func TestAFirstGuessThatABurstMadeFallsAtOnce(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		marks    []mark
		at       time.Duration
		accepted int64
		sent     int64
		want     float64
	}{
		"free refusals":               {[]mark{{0, 115, 115}}, 1200 * ms, 135, 135, 21},
		"refusals that may count":     {[]mark{{0, 115, 115}}, 1200 * ms, 135, 155, 41},
		"less than a second":          {[]mark{{0, 115, 115}}, 900 * ms, 133, 133, 19 / 0.9},
		"several refusals one by one": {[]mark{{0, 115, 115}, {300 * ms, 117, 118}, {600 * ms, 118, 120}}, 1200 * ms, 131, 134, 17 / 0.9},
		"too soon to tell":            {[]mark{{0, 115, 115}}, 500 * ms, 125, 125, 0.97 * pace * 115},
		"one after the other":         {[]mark{{0, 115, 115}, {200 * ms, 119, 119}}, 500 * ms, 125, 125, mostCut * 115},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := estimate{rate: 115, unit: 1}
			for _, m := range tt.marks {
				e.mark(m.at, m.accepted, m.sent)
			}
			e.from = tt.at
			e.refused(tt.at, tt.at, tt.accepted, tt.sent)
			if math.Abs(e.rate-tt.want) > 1e-9 {
				t.Errorf("%.3f, want %.3f", e.rate, tt.want)
			}
		})
	}
}

// TestALimitThatFellIsNotTakenForAFirstGuess has the same refusals after some of long ago.
func TestALimitThatFellIsNotTakenForAFirstGuess(t *testing.T) {
	e := estimate{rate: 20, unit: 1, from: 61 * time.Second}
	e.mark(0, 0, 0)
	for i := range 3 {
		e.mark(time.Minute+time.Duration(i)*300*time.Millisecond, 1200+int64(i)*3, 1200+int64(i)*4)
	}
	e.refused(61*time.Second, 61*time.Second, 1209, 1212)
	if want := 13.0; e.rate != want { // 12 in the last second, and one more
		t.Errorf("%.2f, want %.2f: what was measured over a minute holds no more", e.rate, want)
	}
}

func TestOneRefusalLeavesMostOfAnEstimate(t *testing.T) {
	e := estimate{rate: 20, unit: 1}
	e.mark(0, 0, 0)
	e.refused(2*time.Second, 2*time.Second, 16, 16) // eight per second
	if e.rate != 20*mostCut || !e.doubtful {
		t.Errorf("%.2f, doubtful %v, want %.2f and doubtful", e.rate, e.doubtful, 20*mostCut)
	}
	// A second that ended early explains less if more time has passed.
	e = estimate{rate: 20, unit: 1, from: 5 * time.Second}
	e.mark(0, 0, 0)
	e.refused(5*time.Second, 5*time.Second, 10, 10)
	if want := 3.0; e.rate != want {
		t.Errorf("%.2f, want (10+2)/(5-1) = %.2f", e.rate, want)
	}
}

func TestRefusalsInARowAreOneEpisode(t *testing.T) {
	e := estimate{rate: 20, unit: 1}
	e.mark(0, 0, 0)
	e.taken = 7
	e.miss(7) // it was the next one sent
	e.refused(time.Second, time.Second, 1, 1)
	if e.misses != 1 || e.rate != 20 {
		t.Errorf("%d misses at %.2f, want one and no change", e.misses, e.rate)
	}
	e.miss(9) // others went through before it
	if e.misses != 0 {
		t.Errorf("%d misses, want none", e.misses)
	}
}

func TestAnEstimateNeverFallsUnderOneRequestAMinute(t *testing.T) {
	e := estimate{rate: 1, unit: 100}
	for i := range 100 {
		e.refused(time.Duration(i)*time.Hour, time.Duration(i)*time.Hour, 0, 0)
		e.mark(time.Duration(i)*time.Hour, 0, 0)
	}
	if want := 100.0 / 60; math.Abs(e.rate-want) > 1e-9 {
		t.Errorf("%v per second, want one request of 100 in a minute", e.rate)
	}
}

func TestACrowdIsManyRefusalsForLittle(t *testing.T) {
	const s = time.Second
	tests := map[string]struct {
		every time.Duration // between refusals
		sent  int64         // in that time
		n     int           // how many before
		known float64
		want  bool
	}{
		"half of the limit":                {s, 10, 4, 20, true},
		"nearly all of it":                 {s, 18, 4, 20, false},
		"too few refusals":                 {s, 10, 2, 20, false},
		"refusals that are far apart":      {4 * s, 10, 4, 20, false},
		"refusals of one moment":           {s / 10, 1, 4, 20, false},
		"a slow limit, of which it has it": {s, 1, 8, 1, false},
		"a slow limit, of which others do": {2 * s, 1, 8, 1, true},
		"a limit that is not known":        {s, 10, 4, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := estimate{rate: 20, unit: 1}
			for i := range tt.n {
				e.mark(time.Duration(i)*tt.every, 0, int64(i)*tt.sent)
			}
			if got := e.crowded(time.Duration(tt.n)*tt.every, int64(tt.n)*tt.sent, tt.known); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestACrowdsShareGrowsToTheWholeLimit(t *testing.T) {
	b := &bucket{limit: 1200, window: time.Minute, source: SourceHeader, toldAt: time.Hour, pressed: true}
	b.estimate = estimate{rate: 2, unit: 1, crowd: 20}
	for now := range 30 {
		b.pressed = true
		b.tune(at(time.Duration(now)*time.Second), time.Duration(now)*time.Second)
	}
	if b.estimate.crowd != 0 || b.speed != pace*20 {
		t.Errorf("%.2f per second after 30s without a refusal (crowd %v), want %.2f", b.speed, b.estimate.crowd, pace*20)
	}
}
