package shadow

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/endpoint"
)

var chat = Key{"openai", "chat.completions", "gpt-4o"}

// seenCall begins a call that is answered after that time, and ended at once.
func seenCall(c *Calls, after time.Duration, status int, body string, fails error) *Real {
	r := NewReal()
	r.connected.Store(true)
	c.Add(r, chat, endpoint.Compute)
	time.Sleep(after) // the bubble's clock
	if status == 0 {
		r.Failed(fails)
		return r
	}
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}, "X-Ratelimit-Remaining-Requests": {"5"}}, Body: io.NopCloser(strings.NewReader(body))}
	_, _ = io.Copy(io.Discard, r.Answered(resp))
	return r
}

// ask makes a shadow's attempt, and returns its status, its body and how long it took.
func ask(t *testing.T, c *Calls, a Ask) (int, string, time.Duration) {
	t.Helper()
	began := time.Now()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://upstream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a.Key = chat
	resp, err := c.Answer(req, a)
	if err != nil {
		return 0, err.Error(), time.Since(began)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, err.Error(), time.Since(began)
	}
	return resp.StatusCode, string(body), time.Since(began)
}

func TestAnswer_AFirstAttemptGetsWhatItsCallGot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		own := NewReal()
		own.connected.Store(true)
		c.Add(own, chat, endpoint.Compute)
		go func() {
			time.Sleep(time.Second)
			own.Failed(errors.New("reset"))
		}()
		if _, text, took := ask(t, &c, Ask{Own: own, Number: 1}); text != "reset" || took != time.Second {
			t.Errorf("got %q after %v", text, took)
		}
	})
}

// TestAnswer_LaterAttemptsFailAsOftenAsOtherCalls has every second call fail.
func TestAnswer_LaterAttemptsFailAsOftenAsOtherCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		own := seenCall(&c, 0, 500, "{}", nil)
		for i := range 10 {
			seenCall(&c, 10*time.Millisecond, 200+300*(i%2), "{}", nil)
		}
		failed := 0
		for range 20 {
			status, _, took := ask(t, &c, Ask{Own: own, Number: 2})
			if status == 500 {
				failed++
			}
			if took != 10*time.Millisecond {
				t.Fatalf("took %v", took)
			}
		}
		if failed != 10 {
			t.Errorf("%d of 20 failed", failed)
		}
	})
}

func TestAnswer_AnUnseenUpstreamIsWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		other := NewReal() // at another upstream
		c.Add(other, Key{Lane: "azure"}, endpoint.Compute)
		time.Sleep(time.Second)
		if status, text, _ := ask(t, &c, Ask{Number: 2}); status != http.StatusOK || text != "{}" {
			t.Errorf("got %d %q", status, text)
		}
	})
}

func TestAnswer_LongAndCutAnswersKeepTheirEnds(t *testing.T) {
	t.Parallel()
	event := "data: {\"choices\":[{\"delta\":{\"content\":\"" + strings.Repeat("x", 100) + "\"}}]}\n\n"
	long := strings.Repeat(event, 200) + "data: [DONE]\n\n"
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		own := seenCall(&c, time.Millisecond, 200, long, nil)
		_, text, _ := ask(t, &c, Ask{Own: own, Number: 1})
		if !strings.HasPrefix(text, event) || !strings.HasSuffix(text, event+"data: [DONE]\n\n") || len(text) > HeadMax+TailMax {
			t.Errorf("%d bytes: %.200q", len(text), text)
		}
		for part := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
			if part+"\n\n" != event && part != "data: [DONE]" {
				t.Errorf("a broken event: %q", part)
			}
		}
		own = seenCall(&c, time.Millisecond, 200, `{"text":"`+strings.Repeat("x", 1<<20)+`"}`, nil)
		if _, text, _ = ask(t, &c, Ask{Own: own, Number: 1}); text != "{}" {
			t.Errorf("a long JSON answer is %.50q", text)
		}
	})
}

func TestAnswer_WhatWasTrueAtAnotherMomentIsLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		own := seenCall(&c, 0, 200, "{}", nil)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://upstream", http.NoBody)
		for _, late := range []bool{false, true} {
			if late {
				time.Sleep(time.Second)
			}
			resp, err := c.Answer(req, Ask{Key: chat, Own: own, Number: 1, Queued: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if _, has := resp.Header["X-Ratelimit-Remaining-Requests"]; has == late {
				t.Errorf("late %v: the header is there: %v", late, has)
			}
		}
	})
}

func TestCalls_AreBounded(t *testing.T) {
	t.Parallel()
	var c Calls
	for i := range 10 * maxGroups {
		r := NewReal()
		c.Add(r, Key{Model: strings.Repeat("m", i)}, endpoint.Compute)
		r.Failed(io.EOF)
	}
	if len(c.groups) != maxGroups {
		t.Errorf("%d groups are kept", len(c.groups))
	}
}

func TestLoad_PlacesAreKnownWhereRefusalsDependOnThem(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		served, refused []int // calls that ran
		places          int   // 0: none are known
	}{
		"nothing seen":      {nil, nil, 0},
		"no refusal":        {[]int{8, 8}, nil, 0},
		"always when full":  {[]int{7, 8}, []int{8, 8, 8, 7}, 8},
		"a straggler":       {[]int{20}, []int{20, 20, 14, 20}, 20},
		"at any load":       {[]int{20, 12}, []int{3, 9, 20, 1}, 0},
		"so few, by chance": {[]int{2}, []int{2, 1, 2}, 0},
	} {
		var l load
		for _, n := range tt.served {
			l.servedAt(time.Unix(100, 0), n)
		}
		for _, n := range tt.refused {
			l.refused(NewReal(), n)
		}
		if got, _ := l.places(); got != tt.places {
			t.Errorf("%s: %d places, want %d", name, got, tt.places)
		}
	}
}
