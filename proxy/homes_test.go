package proxy

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// maker answers with an object of this id and notes what it was asked for.
type maker struct {
	id   string
	mu   sync.Mutex
	seen []string
}

func (m *maker) script(w http.ResponseWriter, r *http.Request, _ int) {
	_, _ = io.Copy(io.Discard, r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Accept-Encoding"))
	if strings.HasSuffix(r.URL.Path, "/content") {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"file-within"}`)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = io.WriteString(w, `{"id":"`+m.id+`","store":true}`)
}

// newMakers is a proxy in front of two makers, in a bubble.
func newMakers(t *testing.T, edit func(*settings.Config)) (*several, *maker, *maker) {
	first, second := &maker{id: "file-first"}, &maker{id: "file-second"}
	return newSeveral(t, edit, first.script, second.script), first, second
}

func TestTheFirstOfTwoHomesIsWhereUnknownObjectsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newMakers(t, nil)
		s.call("POST", "/@second/v1/files", "{}") // learned, although it was asked for by name
		for _, tt := range []struct{ method, path, body, want string }{
			{"GET", "/v1/files/file-second", "", "second"},
			{"GET", "/v1/files/file-second/content", "", "second"},
			{"POST", "/v1/batches", `{"input_file_id":"file-second"}`, "second"},
			{"POST", "/v1/batches", squeezed(t, `{"input_file_id":"file-second"}`, "gzip"), "second"},
			{"POST", "/v1/batches", squeezed(t, `{"input_file_id":"file-second"}`, "gzip")[:40], "openai"}, // cannot be read
			{"POST", "/v1/batches", `{"input_file_id":"file-unknown"}`, "openai"},
			{"GET", "/v1/files/file-unknown", "", "openai"},
			{"GET", "/v1/files/file-within", "", "openai"}, // a file's content tells nothing
			{"GET", "/v1/files", "", "openai"},
			{"GET", "/@openai/v1/files/file-second", "", "openai"}, // the caller knows better
		} {
			if got := s.call(tt.method, tt.path, tt.body); got.Upstream != tt.want || got.Status != 200 {
				t.Errorf("%s %s %s: got %d from %s, want %s", tt.method, tt.path, tt.body, got.Status, got.Upstream, tt.want)
			}
		}
		if !strings.Contains(s.log.String(), `"sticky":true`) {
			t.Error("the log does not say that a request had to go where it went")
		}
	})
}

func TestWhatHasToGoSomewhereIsToldWhenItCannot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, second := newMakers(t, nil)
		s.call("POST", "/v1/files", "{}")
		_ = s.wires[0].Close()
		resp, body := s.do(s.request("GET", "/v1/files/file-first", ""))
		if resp.StatusCode != 502 || errorCode(t, body) != "upstream_unreachable" || !strings.Contains(body, "at the only place for what the request refers to") {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		if len(second.seen) != 0 {
			t.Errorf("the second was asked for %v", second.seen)
		}
	})
}

func TestAnswersThatTellOfObjectsAreAskedForInPlainText(t *testing.T) {
	for name, tt := range map[string]struct {
		upstreams          int
		path, body, wanted string
	}{
		"one upstream":          {1, "/v1/files", "{}", "POST /v1/files gzip"},
		"two":                   {2, "/v1/files", "{}", "POST /v1/files identity"},
		"two, but no objects":   {2, "/v1/embeddings", "{}", "POST /v1/embeddings gzip"},
		"two, a chat":           {2, "/v1/chat/completions", chatBody, "POST /v1/chat/completions gzip"},
		"two, a chat to keep":   {2, "/v1/chat/completions", `{"store":true}`, "POST /v1/chat/completions identity"},
		"two, a file's content": {2, "/v1/files/f/content", "{}", "POST /v1/files/f/content gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &maker{id: "file-first"}
			g := newRig(t, m.script, func(c *settings.Config) {
				if tt.upstreams == 2 {
					other := c.Upstreams[0]
					other.Name, other.APIKey = "second", values.NewSecret("sk-other")
					c.Upstreams = append(c.Upstreams, other)
				}
			})
			r := g.request(http.MethodPost, tt.path, tt.body)
			r.Header.Set("Accept-Encoding", "gzip")
			g.do(r)
			if len(m.seen) != 1 || m.seen[0] != tt.wanted {
				t.Errorf("got %q, want %q", m.seen, tt.wanted)
			}
		})
	}
}

// movedTo returns u with another host and path.
func movedTo(u *url.URL, host, path string) *url.URL {
	return &url.URL{Scheme: u.Scheme, Host: host, Path: path}
}

func TestOnePlaceUnderTwoNamesIsOneHome(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(first, second *settings.Upstream)
		one  bool
	}{
		"another model":        {func(_, u *settings.Upstream) { u.Models = []settings.Model{{Requested: "*", Sent: "small"}} }, true},
		"the base written out": {func(_, u *settings.Upstream) { u.URL = movedTo(u.URL, u.URL.Host, "/v1") }, true},
		"the same key":         {func(a, b *settings.Upstream) { a.APIKey, b.APIKey = values.NewSecret("k"), values.NewSecret("k") }, true},
		"another key":          {func(_, u *settings.Upstream) { u.APIKey = values.NewSecret("k") }, false},
		"another account":      {func(_, u *settings.Upstream) { u.Headers = []settings.Pair{{Name: "OpenAI-Project", Value: "p"}} }, false},
		"another path":         {func(_, u *settings.Upstream) { u.URL = movedTo(u.URL, u.URL.Host, "/tenant") }, false},
		"another host":         {func(_, u *settings.Upstream) { u.URL = movedTo(u.URL, "other.test", "") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := &maker{id: "file-first"}
			g := newRig(t, m.script, func(c *settings.Config) {
				first, second := c.Upstreams[0], c.Upstreams[0]
				second.Name = "second"
				tt.edit(&first, &second)
				c.Upstreams = []settings.Upstream{first, second}
			})
			if got := g.proxy.gen().Homes == nil; got != tt.one {
				t.Errorf("one home: got %v, want %v", got, tt.one)
			}
		})
	}
}

func TestOfThreeUpstreamsTwoMayShareAHome(t *testing.T) {
	m := &maker{id: "file-first"}
	g := newRig(t, m.script, func(c *settings.Config) {
		small, other := c.Upstreams[0], c.Upstreams[0]
		small.Name, other.Name = "small", "other"
		other.APIKey = values.NewSecret("sk-other")
		c.Upstreams = append(c.Upstreams, other, small)
	})
	var homes []int
	for _, up := range g.proxy.gen().Upstreams {
		homes = append(homes, up.Home)
	}
	if !slices.Equal(homes, []int{0, 1, 0}) {
		t.Errorf("the homes of openai, other and small are %v, want that of the first and the last to be one", homes)
	}
	g.do(g.request("POST", "/v1/files", "{}"))
	if resp, _ := g.do(g.request("GET", "/v1/files/file-first", "")); resp.Header.Get("x-outrigger-upstream") != "openai" {
		t.Errorf("got %s", resp.Header.Get("x-outrigger-upstream"))
	}
}

// echoer answers with an id of its own, and with the members that the request's body asks
// for: it stands for all that an upstream may quote.
func echoer(own string) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		said, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.Method != http.MethodPost {
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"file-victim"}],"first_id":"file-victim"}`)
			return
		}
		if quoted, top := strings.CutPrefix(string(said), "TOP"); top {
			_, _ = io.WriteString(w, quoted)
			return
		}
		_, _ = io.WriteString(w, `{"id":"`+own+`","metadata":`+string(said)+`,"input":[`+string(said)+`],"request":`+string(said)+`,`+strings.TrimPrefix(string(said), "{"))
	}
}

func TestHomes_WhatAnAnswerQuotesMovesNobodysObjects(t *testing.T) {
	quotes := map[string]struct{ method, path, body string }{
		"members":                 {"POST", "/@second/v1/responses", `{"previous_response_id":"file-victim","conversation":"file-victim","input_file_id":"file-victim","file_ids":["file-victim"]}`},
		"an object's id":          {"POST", "/@second/v1/responses", `{"file":{"id":"file-victim"},"conversation":{"id":"file-victim"}}`},
		"a list":                  {"GET", "/@second/v1/files", ""},
		"the top, by another key": {"POST", "/@second/v1/files", `TOP{"id":"file-victim"}`},
	}
	for name, quote := range quotes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, nil, echoer("file-first"), echoer("file-second"))
				s.call("POST", "/@openai/v1/files", `TOP{"id":"file-victim"}`)
				r := s.request(quote.method, quote.path, quote.body)
				r.Header.Set("Authorization", "Bearer another")
				if resp, _ := s.do(r); resp.Header.Get("x-outrigger-upstream") != "second" {
					t.Fatalf("the quote came from %s", resp.Header.Get("x-outrigger-upstream"))
				}
				if got := s.call("GET", "/v1/files/file-victim", ""); got.Upstream != "openai" {
					t.Errorf("its owner is sent to %s", got.Upstream)
				}
			})
		})
	}
}

// Where the upstream has a key of its own, all callers are one to it, whatever they send:
// made-up credentials must not make owners.
func TestHomes_OfALentKeyAreOneCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, func(c *settings.Config) {
			for i := range c.Upstreams {
				c.Upstreams[i].APIKey = values.NewSecret("own-" + c.Upstreams[i].Name)
			}
		}, echoer("file-first"), echoer("file-second"))
		as := func(key, method, path, body string) string {
			r := s.request(method, path, body)
			r.Header.Set("Authorization", "Bearer "+key)
			resp, _ := s.do(r)
			return resp.Header.Get("x-outrigger-upstream")
		}
		as("made-up-1", "POST", "/@second/v1/files", "{}")
		if got := as("made-up-2", "GET", "/v1/files/file-second", ""); got != "second" {
			t.Errorf("another made-up credential is sent to %s", got)
		}
		as("made-up-3", "POST", "/@openai/v1/files", `TOP{"id":"file-second"}`)
		if got := as("made-up-1", "GET", "/v1/files/file-second", ""); got != "openai" {
			t.Errorf("the same key's later word does not count: %s", got)
		}
	})
}

func TestHomes_AreBoundedWithinTheMemoryOfAll(t *testing.T) {
	m := &maker{id: "file-first"}
	for name, upstreams := range map[string]int{"one": 1, "two": 2} {
		g := newRig(t, m.script, func(c *settings.Config) {
			c.Bodies.MemoryMax = 1 << 20
			if upstreams == 2 {
				other := c.Upstreams[0]
				other.Name, other.APIKey = "second", values.NewSecret("sk-other")
				c.Upstreams = append(c.Upstreams, other)
			}
		})
		const storeShare, memoryShare = 4, 16                   // settings.storeShare, affinity.memoryShare
		room := 1 << 20 * 7 / 8 * (storeShare - 1) / storeShare // less the stored answers
		if upstreams == 2 {
			room -= 1 << 20 / memoryShare * 7 / 8
		}
		if !g.proxy.gen().Bodies.Reserve(int64(room)) || g.proxy.gen().Bodies.Reserve(1) {
			t.Errorf("%s: bodies may not take %d bytes, or more", name, room)
		}
	}
}
