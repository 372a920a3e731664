package eventstream

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"outrigger/policy/endpoint"
	"outrigger/test/corpus"
)

// provider is a transcript of the corpus in the dialect that its path speaks.
type provider struct {
	corpus.Transcript
	d endpoint.Dialect
}

func providers(t testing.TB) []provider {
	t.Helper()
	list, err := corpus.Transcripts()
	if err != nil {
		t.Fatal(err)
	}
	var all []provider
	for _, tr := range list {
		d := endpoint.Of(http.MethodPost, tr.Path, endpoint.Facts{}).Dialect
		if d.String() != tr.Dialect {
			t.Fatalf("%s: %s is said to speak %s, want %s", tr.Name, tr.Path, d, tr.Dialect)
		}
		all = append(all, provider{tr, d})
	}
	return all
}

// after is what a Watcher should say of the first so many events of p's stream.
func (p provider) after(events int) report {
	r := report{events: int64(events), done: events >= p.Whole, finished: p.Last > 0 && events >= p.Last}
	if events >= p.First {
		r.first = p.First
	}
	return r
}

// numbers takes out of r what the manifest does not tell of a part of a stream.
func (r report) numbers() report {
	r.next, r.prompt, r.completion, r.pending, r.missing = 0, 0, 0, false, ""
	return r
}

func TestProvidersStreamsAreUnderstoodInEverySpelling(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, p := range providers(t) {
		t.Run(p.Name, func(t *testing.T) {
			want := p.after(len(p.Ends()) - 1)
			want.prompt, want.completion = p.Prompt, p.Output
			for name, stream := range corpus.Spellings(p.Stream) {
				for _, cuts := range [][]int{nil, every(stream), randomCuts(random, len(stream))} {
					got := reportOf(t, watch(p.d, stream, cuts...), stream)
					got.next = 0
					if got != want {
						t.Fatalf("%s cut at %v\ngot  %+v\nwant %+v", name, cuts, got, want)
					}
				}
			}
		})
	}
}

func TestProvidersStreamsAreUnderstoodSplitAtEveryByte(t *testing.T) {
	for _, p := range providers(t) {
		t.Run(p.Name, func(t *testing.T) {
			streams := [][]byte{p.Stream, corpus.Spellings(p.Stream)["CRLF"], p.ErrorFirst(), p.ErrorLate()}
			for _, stream := range streams {
				whole := watch(p.d, stream)
				for cut := 0; cut < len(stream); cut += stride {
					compare(t, whole, watch(p.d, stream, cut))
				}
			}
		})
	}
}

func TestProvidersErrorsAreSeenFirstAndLate(t *testing.T) {
	for _, p := range providers(t) {
		t.Run(p.Name, func(t *testing.T) {
			for name, tt := range map[string]struct {
				stream []byte
				first  int
				failed int
			}{
				"first": {p.ErrorFirst(), p.First, p.First},
				"late":  {p.ErrorLate(), p.First, p.First + 1},
			} {
				for spelling, stream := range corpus.Spellings(tt.stream) {
					w := watch(p.d, stream)
					got := reportOf(t, w, stream)
					if w.Unseen() != p.Unseen {
						t.Errorf("%s, %s: unseen is %v, want %v", name, spelling, w.Unseen(), p.Unseen)
					}
					if got.first != tt.first || got.failure != tt.failed {
						t.Errorf("%s, %s: event %d is the first and %d the error, want %d and %d", name, spelling, got.first, got.failure, tt.first, tt.failed)
					}
				}
			}
		})
	}
}

// A cut at any byte: what was whole before it is known, and what Outrigger adds makes
// an error event of it that is whole JSON.
func TestProvidersStreamsCutAtEveryByteEndAsTheyShould(t *testing.T) {
	for _, p := range providers(t) {
		t.Run(p.Name, func(t *testing.T) {
			for cut := 0; cut < len(p.Stream); cut += stride {
				stream := p.Stream[:cut:cut]
				before, _ := readEvents(stream)
				w := watch(p.d, stream)
				missing := w.End()
				events, _ := readEvents(slices.Concat(stream, missing))
				w = watch(p.d, stream)
				got := reportOf(t, w, stream).numbers()
				if want := p.after(len(events)); got != want {
					t.Fatalf("cut at %d\ngot  %+v\nwant %+v", cut, got, want)
				}
				if !got.done {
					p.endsInAnError(t, slices.Concat(stream, missing, w.Interruption(code, message)), len(before))
				}
			}
		})
	}
}

// endsInAnError checks what a caller reads of a stream that was cut behind so many events.
func (p provider) endsInAnError(t *testing.T, stream []byte, before int) {
	t.Helper()
	events, rest := readEvents(stream)
	if len(rest) > 0 || len(events) <= before {
		t.Fatalf("no event follows the cut: %q", stream)
	}
	for _, e := range events[before:] {
		if array := string(e.Data) == "["; !array && !json.Valid(e.Data) && !bytes.Equal(e.Data, done) {
			t.Fatalf("a half event became %q", e.Data)
		}
	}
	last := events[len(events)-1]
	var told struct{ Error reason }
	if err := json.Unmarshal(last.Data, &told); err != nil || told.Error.Code != code || (last.Name == "error") != named(p.d) {
		t.Fatalf("the last event is %q %s", last.Name, last.Data)
	}
}

// FuzzProviders: whatever is put into a stream of the corpus, wherever it ends and
// however it is split, the Watcher does not panic, does not change the bytes, and finds
// the same end.
func FuzzProviders(f *testing.F) {
	all := providers(f)
	for i := range all {
		f.Add(uint8(i), uint16(100*i), []byte("\r\n\r\ndata: {\"error\":[{}],\"choices\":[{\"index\":1}]}\n"), uint16(50*i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, put []byte, cut uint16, seed uint64) {
		p := all[int(which)%len(all)]
		random := rand.New(rand.NewPCG(seed, 0))
		from := int(at) % (len(p.Stream) + 1)
		over := min(len(p.Stream), from+random.IntN(40))
		stream := slices.Concat(p.Stream[:from], put, p.Stream[over:])
		stream = stream[:len(stream)-int(cut)%(len(stream)+1)]
		as := bytes.Clone(stream)
		whole, parts := watch(p.d, stream), watch(p.d, stream, randomCuts(random, len(stream))...)
		compare(t, whole, parts)
		if end := whole.End(); !bytes.Equal(end, parts.End()) {
			t.Fatalf("End: %q", end)
		}
		compare(t, whole, parts)
		if whole.Done() != parts.Done() || whole.Finished() != parts.Finished() || !bytes.Equal(as, stream) {
			t.Fatalf("the end or the bytes depend on the split: %q", stream)
		}
	})
}
