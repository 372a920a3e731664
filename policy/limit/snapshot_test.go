package limit

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"outrigger/policy/priority"
)

func TestASnapshotTellsAll(t *testing.T) {
	l := New(Settings{RPM: 600, Learn: true}, origin)
	l.answer(t, 0, &Waiter{Tokens: 1000}, limits("Tokens", "60000", "59000", "1.000s"))
	w := pass(t, l, 100*time.Millisecond, &Waiter{Tokens: 500})
	l.Refused(at(100*time.Millisecond), w, Refusal{Hint: 2 * time.Second, Limit: -1})
	got := l.Snapshot(at(100 * time.Millisecond))
	for i := range got.Buckets {
		got.Buckets[i].Remaining = 0
	}
	want := Snapshot{
		Queue: 1, Waiting: priority.Counts{0, 1, 0}, GateUntil: at(2100 * time.Millisecond), Counters: Counters{Refusals: 1, IgnoredTexts: 1},
		Buckets: []Bucket{
			{Dimension: "requests", Limit: 600, Window: time.Minute, Source: SourceConfigured, Rate: 9.8},
			{Dimension: "tokens", Limit: 60000, Window: time.Minute, Source: SourceHeader, Rate: 980},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestASnapshotIsReadable(t *testing.T) {
	l := New(learning, origin)
	l.refuse(t, 0, &Waiter{}, Refusal{})
	s := l.Snapshot(at(time.Hour))
	s.Buckets[0].Remaining = 1
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"queue":1,"buckets":[{"dimension":"requests","limit":60,"source":"refusals","remaining":1,"rate":1,"window_seconds":60}],` +
		`"counters":{"refusals":1,"ignored_headers":0,"ignored_texts":0,"ignored_hints":0}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	empty, err := json.Marshal(New(Settings{}, origin).Snapshot(origin))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"queue":0,"buckets":[],"counters":{"refusals":0,"ignored_headers":0,"ignored_texts":0,"ignored_hints":0}}`; string(empty) != want {
		t.Errorf("got  %s\nwant %s", empty, want)
	}
}

func TestASnapshotChangesNothing(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	pass(t, l, 0, &Waiter{})
	l.Snapshot(at(time.Hour))
	if d := l.Enter(at(time.Millisecond), &Waiter{}); d.Reason != Queued {
		t.Errorf("got %v, want the limiter's time unchanged", d)
	}
}

func TestSourcesHaveNames(t *testing.T) {
	want := map[Source]string{
		0: "none", SourceConfigured: "configured", SourceHeader: "header", SourceText: "refusal text", SourceRefusals: "refusals", 99: "none",
	}
	for s, name := range want {
		if s.String() != name {
			t.Errorf("%d is %q, want %q", s, s.String(), name)
		}
	}
}

func TestALimiterIsIdleWhenNothingWouldBeLost(t *testing.T) {
	busy := New(Settings{RPM: 60}, origin)
	enterAll(busy, 0, &Waiter{}, &Waiter{})
	fresh := New(learning, origin)
	pass(t, fresh, 0, &Waiter{})
	used := New(learning, origin)
	used.answer(t, 0, &Waiter{}, limits("Requests", "1000", "100", "21h36m0s"))
	full := New(learning, origin)
	full.answer(t, 0, &Waiter{}, limits("Requests", "1000", "900", "2h24m0s"))
	for name, tt := range map[string]struct {
		l    *Limiter
		at   time.Duration
		want bool
	}{
		"somebody waits":         {busy, time.Hour, false},
		"asked a moment ago":     {fresh, time.Minute, false},
		"asked long ago":         {fresh, 16 * time.Minute, true},
		"a day's limit is short": {used, time.Hour, false},
		"and has come back":      {used, 20 * time.Hour, true},
		"a day's limit is not":   {full, time.Hour, true},
	} {
		if got := tt.l.Idle(at(tt.at)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
