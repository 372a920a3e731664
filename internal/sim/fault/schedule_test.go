package fault

import (
	"reflect"
	"sync"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// struck returns which of n equal requests the schedule strikes, 1 for the first.
func struck(s *Schedule, n int, q Request) []int {
	var all []int
	for i := range n {
		if s.Pick(start, q) != nil {
			all = append(all, i+1)
		}
	}
	return all
}

func TestARuleChoosesAmongItsRequests(t *testing.T) {
	tests := map[string]struct {
		rule Rule
		want []int
	}{
		"all":                      {Rule{}, []int{1, 2, 3, 4, 5, 6, 7, 8}},
		"first":                    {Rule{First: 2}, []int{1, 2}},
		"skip":                     {Rule{Skip: 6}, []int{7, 8}},
		"skip, then first":         {Rule{Skip: 2, First: 3}, []int{3, 4, 5}},
		"every":                    {Rule{Every: 3}, []int{3, 6}},
		"skip, then every":         {Rule{Skip: 1, Every: 3}, []int{4, 7}},
		"every among the first":    {Rule{Every: 2, First: 4}, []int{2, 4}},
		"certain":                  {Rule{Probability: 1}, []int{1, 2, 3, 4, 5, 6, 7, 8}},
		"by chance, from the seed": {Rule{Probability: 0.5}, []int{2, 6, 7, 8}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.rule.Kind = KindReset
			if got := struck(NewSchedule(7, []Rule{test.rule}, start), 8, Request{}); !reflect.DeepEqual(got, test.want) {
				t.Errorf("struck %v, want %v", got, test.want)
			}
		})
	}
}

func TestARuleLooksAtTheRequest(t *testing.T) {
	q := Request{Path: "/v1/chat/completions", Method: "POST", Model: "gpt-4o-mini", Credential: "sk-a", Attempt: 2}
	tests := map[string]struct {
		rule Rule
		want bool
	}{
		"path":               {Rule{Path: "/v1/chat"}, true},
		"other path":         {Rule{Path: "/v1/files"}, false},
		"method":             {Rule{Method: "post"}, true},
		"other method":       {Rule{Method: "GET"}, false},
		"model":              {Rule{Model: "gpt-4o*"}, true},
		"other model":        {Rule{Model: "gpt-4o"}, false},
		"credential":         {Rule{Credential: "sk-a"}, true},
		"other credential":   {Rule{Credential: "sk-b"}, false},
		"attempts":           {Rule{Attempts: 2}, true},
		"earlier attempts":   {Rule{Attempts: 1}, false},
		"before the body":    {Rule{Unread: true}, false},
		"streams only":       {Rule{Kind: KindCutReset}, false},
		"a row of a stream":  {Rule{Kind: KindRow, Row: "openai/stream_chat_error_frame"}, false},
		"a row of its own":   {Rule{Kind: KindRow, Row: "openai/429_rpm"}, true},
		"one of two failing": {Rule{Path: "/v1/chat", Method: "GET"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.rule.Kind == "" {
				test.rule.Kind = KindReset
			}
			s := NewSchedule(0, []Rule{test.rule}, start)
			if got := s.Pick(start, q) != nil; got != test.want {
				t.Errorf("struck: %v, want %v", got, test.want)
			}
		})
	}
	stream := Request{Stream: true}
	if NewSchedule(0, []Rule{{Kind: KindCutReset}}, start).Pick(start, stream) == nil {
		t.Error("a stream is not cut")
	}
	if NewSchedule(0, []Rule{{Kind: KindReset, Unread: true}}, start).Pick(start, Request{Unread: true}) == nil {
		t.Error("an unread request is not struck")
	}
}

func TestARuleIsInForceForItsTime(t *testing.T) {
	s := NewSchedule(0, []Rule{{Kind: KindReset, Start: 2 * time.Second, Stop: 5 * time.Second}}, start)
	for after, want := range map[time.Duration]bool{0: false, 2*time.Second - 1: false, 2 * time.Second: true, 5*time.Second - 1: true, 5 * time.Second: false} {
		if got := s.Pick(start.Add(after), Request{}) != nil; got != want {
			t.Errorf("after %v: struck %v, want %v", after, got, want)
		}
	}
	later := start.Add(time.Hour)
	s.Add([]Rule{{Kind: KindHang, Stop: time.Second}}, later)
	if r := s.Pick(later, Request{}); r == nil || r.Kind != KindHang {
		t.Errorf("a rule that was added later struck %v: its time begins then", r)
	}
}

// TestARuleWithAPeriodComesBack is down from 1 s to 3 s of every 5.
func TestARuleWithAPeriodComesBack(t *testing.T) {
	s := NewSchedule(0, []Rule{{Kind: KindReset, Start: time.Second, Stop: 3 * time.Second, Period: 5 * time.Second}}, start)
	for ms := -500; ms < 20_000; ms += 250 {
		in := ((ms % 5000) + 5000) % 5000
		want := ms >= 0 && in >= 1000 && in < 3000
		if got := s.Pick(start.Add(time.Duration(ms)*time.Millisecond), Request{}) != nil; got != want {
			t.Errorf("after %d ms: struck %t, want %t", ms, got, want)
		}
	}
}

func TestTheFirstRuleThatStrikesApplies(t *testing.T) {
	s := NewSchedule(0, []Rule{
		{Kind: KindReset, Every: 2},
		{Kind: KindHang, First: 1},
		{Kind: KindClose},
	}, start)
	var got []Kind
	for range 4 {
		got = append(got, s.Pick(start, Request{}).Kind)
	}
	if want := []Kind{KindHang, KindReset, KindClose, KindReset}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	states := []State{
		{Rule{Kind: KindReset, Every: 2}, 4, 2},
		{Rule{Kind: KindHang, First: 1}, 2, 1},
		{Rule{Kind: KindClose}, 1, 1},
	}
	if got := s.States(); !reflect.DeepEqual(got, states) {
		t.Errorf("States() = %+v, want %+v", got, states)
	}
}

func TestTheSameSeedGivesTheSameFaults(t *testing.T) {
	rules := []Rule{{Kind: KindReset, Probability: 0.3}, {Kind: KindHang, Probability: 0.3}}
	run := func(seed uint64) []int { return struck(NewSchedule(seed, rules, start), 1000, Request{}) }
	if !reflect.DeepEqual(run(1), run(1)) {
		t.Error("two runs of one seed differ")
	}
	if reflect.DeepEqual(run(1), run(2)) {
		t.Error("two seeds give the same run")
	}
	// 1-(0.7*0.7) = 0.51; five standard deviations are 0.08.
	if n := len(run(1)); n < 430 || n > 590 {
		t.Errorf("%d of 1000 struck, want about 510", n)
	}
	s := NewSchedule(1, rules, start)
	first := struck(s, 100, Request{})
	s.Replace(rules, start)
	if again := struck(s, 100, Request{}); !reflect.DeepEqual(first, again) {
		t.Error("Replace does not begin the schedule anew")
	}
}

func TestRulesMayChangeWhileTheyStrike(t *testing.T) {
	s := NewSchedule(0, []Rule{{Kind: KindReset, First: 100}}, start)
	var group sync.WaitGroup
	hits := make([]int, 4)
	for g := range hits {
		group.Go(func() { hits[g] = len(struck(s, 100, Request{})) })
	}
	group.Go(func() {
		for range 50 {
			s.Add([]Rule{{Kind: KindHang, Path: "/nowhere"}}, start)
			s.States()
		}
	})
	group.Wait()
	if total := hits[0] + hits[1] + hits[2] + hits[3]; total != 100 {
		t.Errorf("the first 100 were %d", total)
	}
}

func TestUnitIsEvenAndBelowOne(t *testing.T) {
	sum := 0.0
	for i := range uint64(10_000) {
		u := Unit(3, 1, i)
		if u < 0 || u >= 1 {
			t.Fatalf("Unit gave %v", u)
		}
		sum += u
	}
	if mean := sum / 10_000; mean < 0.48 || mean > 0.52 {
		t.Errorf("the mean is %v, want about 0.5", mean)
	}
}
