package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/endpoint"
	"outrigger/proxy/attempt"
	"outrigger/proxy/settings"
	providers "outrigger/test/corpus"
)

// Providers' streams through the whole handler, both servers real, in a bubble.

// eachProvider runs check for every transcript of the corpus.
func eachProvider(t *testing.T, check func(t *testing.T, tr providers.Transcript)) {
	t.Helper()
	all, err := providers.Transcripts()
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range all {
		t.Run(tr.Name, func(t *testing.T) { check(t, tr) })
	}
}

// answered is what a caller got of a stream, and what became of it.
type answered struct {
	status  int
	body    string
	err     error
	calls   int64
	outcome string // in the log
	prompt  float64
	output  float64
	took    time.Duration
}

// against shows a without the part of its body that is as it should be.
func (a answered) against(want []byte) string {
	same := 0
	for same < min(len(a.body), len(want)) && a.body[same] == want[same] {
		same++
	}
	a.body = fmt.Sprintf("%d right bytes, then %.300s", same, a.body[same:])
	return fmt.Sprintf("%+v", a)
}

// ask sends tr's request in a bubble to an upstream that answers with the scripts in
// turn, the last for all further calls.
func ask(t *testing.T, tr providers.Transcript, edit func(*settings.Config), scripts ...script) answered {
	t.Helper()
	var a answered
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			_, _ = io.Copy(io.Discard, r.Body)
			scripts[min(call, len(scripts))-1](w, r, call)
		}, func(c *settings.Config) {
			if edit != nil {
				edit(c)
			}
		})
		start := time.Now()
		resp, err := g.client.Do(g.request(http.MethodPost, tr.Path, tr.Request()))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		a = answered{status: resp.StatusCode, body: string(body), err: err, calls: g.calls.Load(), took: time.Since(start)}
		synctest.Wait()
		a.read(t, g.log.String())
	})
	return a
}

// read takes from the log how the request ended.
func (a *answered) read(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var l struct {
			Msg, Outcome string
			Input        float64 `json:"prompt_tokens"`
			Output       float64 `json:"completion_tokens"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Msg == "request" {
			a.outcome, a.prompt, a.output = l.Outcome, l.Input, l.Output
		}
	}
}

// pieces is a script that sends a stream in pieces, and ends it as end says.
func pieces(end func(), parts ...[]byte) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, part := range parts {
			_, _ = w.Write(part)
			_ = http.NewResponseController(w).Flush()
		}
		end()
	}
}

// silent is a script that sends the beginning of a stream and then nothing.
func silent(part []byte) script {
	return func(w http.ResponseWriter, r *http.Request, call int) {
		pieces(func() { <-r.Context().Done() }, part)(w, r, call)
	}
}

func noRetries(c *settings.Config) { c.Retry.Max, c.Timeouts.Total = 0, time.Second } // a second in line, for a rate limit

func TestProvidersStreamsPassByteForByte(t *testing.T) {
	eachProvider(t, func(t *testing.T, tr providers.Transcript) {
		random := rand.New(rand.NewPCG(5, 6))
		for name, stream := range providers.Spellings(tr.Stream) {
			cut := random.IntN(len(stream))
			for split, parts := range map[string][][]byte{
				"in one piece":  {stream},
				"in two":        {stream[:cut], stream[cut:]},
				"byte for byte": slices.Collect(slices.Chunk(stream, 1)),
			} {
				if split == "byte for byte" && (testing.Short() || len(stream) > 8<<10) && name != "CRLF" {
					continue
				}
				got := ask(t, tr, nil, pieces(clean, parts...))
				want := answered{
					status: http.StatusOK, body: string(stream), calls: 1, outcome: "completed",
					prompt: float64(tr.Prompt), output: float64(tr.Output), took: got.took,
				}
				if got != want {
					t.Errorf("%s %s: got %s, want %d bytes, tokens %v and %v", name, split, got.against(stream), len(stream), want.prompt, want.output)
				}
			}
		}
	})
}

func TestProvidersErrorsFirstAreRetriedOrGetAStatus(t *testing.T) {
	eachProvider(t, func(t *testing.T, tr providers.Transcript) {
		failing, well := pieces(clean, tr.ErrorFirst()), pieces(clean, tr.Stream)
		got := ask(t, tr, nil, failing, well)
		switch {
		case tr.Retried && (got.status != http.StatusOK || got.body != string(tr.Stream) || got.err != nil || got.calls != 2):
			t.Errorf("got %s, want the second attempt's stream", got.against(tr.Stream))
		case !tr.Retried && (got.status != tr.Status || got.calls != 1):
			t.Errorf("got %+v, want %d after one attempt", got, tr.Status)
		}
		got = ask(t, tr, noRetries, failing)
		told := strings.Contains(string(tr.Error), got.body)
		if !told && strings.Contains(string(tr.Error), "finish_reason") { // only a finish_reason tells of it
			told = errorCode(t, got.body) == "stream_interrupted"
		}
		if got.status != tr.Status || got.err != nil || !json.Valid([]byte(got.body)) || !told {
			t.Errorf("without retries: got %+v, want %d with the error's data", got, tr.Status)
		}
	})
}

// Nothing passes behind them but a response's own end, and only that is a clean end. Those
// that clients would not notice are told again.
func TestProvidersErrorsLatePassAndCountAsFailed(t *testing.T) {
	eachProvider(t, func(t *testing.T, tr providers.Transcript) {
		event, _, _ := strings.Cut(string(tr.Error), "\n\n")
		upToIt := string(tr.Until(tr.First)) + event + "\n\n"
		ends := strings.HasPrefix(event, "event: response.failed")
		for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
			for split, parts := range map[string][][]byte{
				"in one piece": {tr.ErrorLate()}, "in two": {tr.Until(tr.First), tr.Error}, "byte for byte": slices.Collect(slices.Chunk(tr.ErrorLate(), 1)),
			} {
				got := ask(t, tr, nil, pieces(end, parts...))
				rest, same := strings.CutPrefix(got.body, upToIt)
				switch {
				case !tr.Unseen && (got.status != http.StatusOK || got.body != upToIt || (got.err == nil) != ends || got.calls != 1 || got.outcome != "failed"):
					t.Errorf("%s, %s: got %s, want the same to the error, and a clean end: %t", split, ending, got.against([]byte(upToIt)), ends)
				case tr.Unseen && (!same || got.err == nil || got.outcome != "failed"):
					t.Errorf("%s, %s: got %s, want it told again and a broken connection", split, ending, got.against([]byte(upToIt)))
				case tr.Unseen:
					toldAgain(t, dialectOf(tr), rest)
				}
			}
		}
	})
}

func TestProvidersStreamsCutAreToldOff(t *testing.T) {
	eachProvider(t, func(t *testing.T, tr providers.Transcript) {
		for cut, event := range places(tr) {
			for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
				got := ask(t, tr, nil, pieces(end, tr.Stream[:cut]), pieces(clean, tr.Stream))
				if err := endsRight(t, tr, cut, event, got); err != nil {
					t.Errorf("cut %s at %d, behind event %d: %v: %s", ending, cut, event, err, got.against(tr.Stream))
				}
			}
		}
	})
}

// doneTime is stream.doneTime: how long a stream whose answer is whole may stay open.
const doneTime = 10 * time.Second

func TestProvidersStreamsThatFallSilentAreToldOff(t *testing.T) {
	eachProvider(t, func(t *testing.T, tr providers.Transcript) {
		idle := DefaultConfig().Timeouts.StreamIdle
		for event, cut := range tr.Ends() {
			if event < tr.First || event == len(tr.Ends())-1 && tr.Last > 0 {
				continue
			}
			got := ask(t, tr, nil, silent(tr.Stream[:cut]))
			if err := endsRight(t, tr, cut, event, got); err != nil {
				t.Errorf("silent behind event %d: %v: %s", event, err, got.against(tr.Stream))
			}
			want := idle
			if event >= tr.Whole {
				want = doneTime
			}
			if got.took < want || got.took > want+attempt.EndTime+time.Second {
				t.Errorf("silent behind event %d: ended after %s, want %s", event, got.took, want)
			}
		}
	})
}

// places returns where a stream is cut: at each event's end, somewhere inside each, and where it
// lacks only its blank line, with the number of the last event that is whole by then.
func places(tr providers.Transcript) map[int]int {
	random := rand.New(rand.NewPCG(7, uint64(len(tr.Stream))))
	ends := tr.Ends()
	at := map[int]int{}
	for event, end := range ends[:len(ends)-1] {
		at[end] = event
		at[end+1+random.IntN(ends[event+1]-end-4)] = event
		if event+1 != tr.First { // which may be tried again
			at[ends[event+1]-1], at[ends[event+1]-2] = event+1, event+1
		}
	}
	return at
}

// endsRight holds what a caller got of a stream that ended at cut against the manifest.
func endsRight(t *testing.T, tr providers.Transcript, cut, event int, got answered) error {
	sent := string(tr.Stream[:cut])
	rest, same := strings.CutPrefix(got.body, sent)
	create := tr.Dialect == endpoint.Assistants.String()
	switch {
	case event < tr.First && create:
		if got.status != http.StatusFailedDependency || got.calls != 1 {
			return fmt.Errorf("a create whose stream never began: want 424")
		}
	case event < tr.First:
		if got.body != string(tr.Stream) || got.err != nil || got.calls != 2 {
			return fmt.Errorf("it never began: want the second attempt's stream")
		}
	case event >= tr.Whole:
		if !same || got.err != nil || got.outcome != "completed" {
			return fmt.Errorf("it was whole: want it with a clean end")
		}
	default:
		if !same || got.err == nil || got.calls != 1 || got.outcome != "interrupted" {
			return fmt.Errorf("want the same, an error event, and a broken connection")
		}
		toldInterrupted(t, dialectOf(tr), rest)
	}
	return nil
}

func dialectOf(tr providers.Transcript) endpoint.Dialect {
	return endpoint.Of(http.MethodPost, tr.Path, endpoint.Facts{}).Dialect
}
