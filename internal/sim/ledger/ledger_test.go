package ledger

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// request enters one whole request and returns its ID and ordinal.
func request(l *Ledger, e Entry, body, object string, work bool) (uint64, int) {
	if e.Method == "" {
		e.Method = "POST"
	}
	e.Time = start
	r := l.Begin(e)
	attempt := r.Read("m", false, body)
	if work {
		r.Worked(object)
	}
	r.Answers(200, "")
	r.End(start.Add(time.Second))
	return r.ID, attempt
}

func TestAnEntryTellsWhatHappened(t *testing.T) {
	l := New(0)
	r := l.Begin(Entry{
		Time: start, Credential: "c1", Method: "POST", Path: "/v1/files", Route: "files", Key: "k", Request: "r",
	})
	running, ok := l.Entry(r.ID)
	want := Entry{
		ID: 1, Time: start, Credential: "c1", Method: "POST", Path: "/v1/files", Route: "files", Key: "k", Request: "r", Attempt: 1,
	}
	if !ok || running != want {
		t.Errorf("while it runs:\n got %+v\nwant %+v", running, want)
	}
	r.Read("gpt", true, "b0d1")
	r.Worked("file-1")
	r.Answers(201, "reset")
	want.Model, want.Stream, want.Body = "gpt", true, "b0d1"
	want.Work, want.Object = true, "file-1"
	want.Status, want.Fault = 201, "reset"
	if got, _ := l.Entry(r.ID); got != want {
		t.Errorf("when it is answered:\n got %+v\nwant %+v", got, want)
	}
	r.End(start.Add(3 * time.Second))
	want.Done, want.Duration = true, 3*time.Second
	if got, _ := l.Entry(r.ID); got != want {
		t.Errorf("at the end:\n got %+v\nwant %+v", got, want)
	}
	totals := map[string]Total{"files": {Requests: 1, Works: 1, Faults: 1, Statuses: map[int]uint64{201: 1}}}
	if got := l.Totals(); !reflect.DeepEqual(got, totals) {
		t.Errorf("Totals() = %+v, want %+v", got, totals)
	}
}

func TestKeysMadeAnewForOneCallAreOneIdentity(t *testing.T) {
	for key, want := range map[string]string{
		"or-0011223344556677-1a": "or-0011223344556677-1a", "or-0011223344556677-1a-2": "or-0011223344556677-1a",
		"stainless-node-retry-1-2": "stainless-node-retry-1-2", "a-b-c-2": "a-b-c-2", "": "",
	} {
		e := Entry{Key: key}
		if got := e.Identity().Key; got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}

func TestIdentityIsTheHeaderElseTheKeyElseTheBody(t *testing.T) {
	tests := map[string]struct {
		first, second         Entry
		firstBody, secondBody string
		same                  bool
	}{
		"same header, other body":             {Entry{Request: "r"}, Entry{Request: "r"}, "a", "b", true},
		"other header, same body":             {Entry{Request: "r"}, Entry{Request: "q"}, "a", "a", false},
		"same key, other body":                {Entry{Key: "k"}, Entry{Key: "k"}, "a", "b", true},
		"other key, same body":                {Entry{Key: "k"}, Entry{Key: "j"}, "a", "a", false},
		"same key of another credential":      {Entry{Key: "k", Credential: "c"}, Entry{Key: "k", Credential: "d"}, "a", "a", false},
		"same body":                           {Entry{}, Entry{}, "a", "a", true},
		"other body":                          {Entry{}, Entry{}, "a", "b", false},
		"same body, other path":               {Entry{Path: "/x"}, Entry{Path: "/y"}, "a", "a", false},
		"same body, other credential":         {Entry{Credential: "c"}, Entry{Credential: "d"}, "a", "a", false},
		"bodies that were not read are alone": {Entry{}, Entry{}, "", "", false},
		"the header goes before the key":      {Entry{Request: "r", Key: "k"}, Entry{Request: "r", Key: "j"}, "a", "b", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(0)
			request(l, test.first, test.firstBody, "o1", true)
			_, attempt := request(l, test.second, test.secondBody, "o2", true)
			if got := len(l.Duplicates()) == 1; got != test.same {
				t.Errorf("duplicates: %+v, want any: %v", l.Duplicates(), test.same)
			}
			if got := attempt > 1; got != test.same {
				t.Errorf("the second one is attempt %d, want one more than 1: %v", attempt, test.same)
			}
		})
	}
}

func TestDuplicatesAreWorksDoneTwiceNotAttempts(t *testing.T) {
	l := New(0)
	request(l, Entry{Key: "lost twice"}, "a", "", false)
	request(l, Entry{Key: "lost twice"}, "a", "x1", true)
	request(l, Entry{Key: "twice"}, "b", "y1", true)
	request(l, Entry{Key: "twice"}, "b", "", false)
	request(l, Entry{Key: "twice"}, "b", "y2", true)
	request(l, Entry{Method: "GET"}, "c", "", true)
	request(l, Entry{Method: "GET"}, "c", "", true)
	want := []Duplicate{{Identity: Identity{Key: "twice"}, Attempts: 3, Works: 2, Entries: []uint64{3, 5}, Objects: []string{"y1", "y2"}}}
	if got := l.Duplicates(); !reflect.DeepEqual(got, want) {
		t.Errorf("Duplicates() = %+v, want %+v", got, want)
	}
}

func TestOldEntriesMakeRoomAndTotalsStay(t *testing.T) {
	const size = 100
	l := New(size)
	slow := l.Begin(Entry{Route: "slow"})
	for i := range 999 {
		request(l, Entry{Route: "r", Key: fmt.Sprint(i)}, "", "", true)
	}
	got := l.Entries(Filter{})
	if len(got) != size || got[0].ID != 901 || got[size-1].ID != 1000 {
		t.Errorf("%d entries from %d to %d are kept", len(got), got[0].ID, got[len(got)-1].ID)
	}
	if len(l.ring) != size || len(l.known) != size {
		t.Errorf("ring of %d, %d identities, want %d each", len(l.ring), len(l.known), size)
	}
	if got := l.Totals()["r"]; got.Requests != 999 || got.Works != 999 {
		t.Errorf("totals are %+v, want 999", got)
	}
	if _, ok := l.Entry(900); ok {
		t.Error("entry 900 is still there")
	}
	slow.Worked("late")
	slow.Answers(200, "")
	slow.End(start)
	if e, _ := l.Entry(901); e.Object == "late" {
		t.Errorf("a late result landed on %+v, which has its place", e)
	}
	if got := l.Totals()["slow"]; got.Works != 1 || got.Statuses[200] != 1 {
		t.Errorf("totals of what outlived its entry: %+v", got)
	}
}

func TestResetForgetsAndIDsGoOn(t *testing.T) {
	l := New(10)
	for range 7 {
		request(l, Entry{Key: "k"}, "", "", true)
	}
	running := l.Begin(Entry{Route: "r"})
	l.Reset()
	running.Worked("late")
	running.Answers(200, "")
	running.End(start)
	if l.Requests() != 0 || len(l.Entries(Filter{})) != 0 || len(l.Duplicates()) != 0 || len(l.Totals()) != 0 {
		t.Errorf("after Reset: %d requests, %v", l.Requests(), l.Totals())
	}
	id, attempt := request(l, Entry{Key: "k"}, "", "", true)
	if id != 9 || attempt != 1 || l.Requests() != 1 {
		t.Errorf("next is ID %d attempt %d of %d, want 9, 1, 1", id, attempt, l.Requests())
	}
}

func TestAFilterSelects(t *testing.T) {
	l := New(0)
	l.Begin(Entry{Path: "/v1/files", Method: "POST", Route: "files", Request: "r1"})
	l.Begin(Entry{Path: "/v1/files/f", Method: "GET", Route: "files"})
	l.Begin(Entry{Path: "/v1/batches", Method: "POST", Route: "batches"}).Answers(503, "status 503")
	tests := map[string]struct {
		filter Filter
		want   []uint64
	}{
		"all":     {Filter{}, []uint64{1, 2, 3}},
		"path":    {Filter{Path: "/v1/files"}, []uint64{1, 2}},
		"method":  {Filter{Method: "POST"}, []uint64{1, 3}},
		"route":   {Filter{Route: "batches"}, []uint64{3}},
		"fault":   {Filter{Fault: "status 503"}, []uint64{3}},
		"request": {Filter{Request: "r1"}, []uint64{1}},
		"after":   {Filter{After: 2}, []uint64{3}},
		"last":    {Filter{Last: 2}, []uint64{2, 3}},
		"none":    {Filter{Path: "/v1/files/other"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []uint64
			for _, e := range l.Entries(test.filter) {
				got = append(got, e.ID)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAMaskTellsKeysApartAndIsNotTheKey(t *testing.T) {
	a, b := Mask("sk-aaaaaaaaaaaa"), Mask("sk-bbbbbbbbbbbb")
	if a == b || len(a) != 8 || a != Mask("sk-aaaaaaaaaaaa") || Mask("") != "" {
		t.Errorf("masks %q and %q", a, b)
	}
}

func TestItMayBeReadWhileItIsWritten(t *testing.T) {
	l := New(50)
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 200 {
				request(l, Entry{Route: "r", Key: fmt.Sprint(g, i%3)}, "", "o", true)
				l.Entries(Filter{Last: 5})
				l.Duplicates()
				l.Totals()
			}
		})
	}
	group.Wait()
	if got := l.Totals()["r"]; got.Requests != 800 || got.Works != 800 || got.Statuses[200] != 800 {
		t.Errorf("totals are %+v, want 800", got)
	}
}
