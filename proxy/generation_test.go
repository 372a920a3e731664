package proxy

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// A request that is on its way when the configuration is replaced ends as it began, and the
// next one follows the new configuration.
func TestSwap_ARequestKeepsItsGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, _ *http.Request, call int) {
			time.Sleep(time.Second)
			w.WriteHeader(http.StatusInternalServerError)
		})
		before := g.proxy.gen()
		next := before.Config
		next.Retry.Max = 0
		attempts := make(chan string, 1)
		go func() {
			resp, _ := g.chat()
			attempts <- resp.Header.Get("X-Outrigger-Attempts")
		}()
		time.Sleep(500 * time.Millisecond)
		g.proxy.swap(next)
		if resp, _ := g.chat(); resp.Header.Get("X-Outrigger-Attempts") != "1" {
			t.Errorf("after the swap a call made %s attempts", resp.Header.Get("X-Outrigger-Attempts"))
		}
		if got := <-attempts; got != "5" {
			t.Errorf("the call that was on its way made %s attempts", got)
		}
		if before.users.Load() != 0 || !before.over.Load() || g.proxy.gen().users.Load() != 1 {
			t.Errorf("%d and %d use the generations", before.users.Load(), g.proxy.gen().users.Load())
		}
	})
}

// What was learned of an upstream is known to the next generation, if it has the same URL and
// name or credential; with others it is another's.
func TestSwap_WhatWasLearnedIsKept(t *testing.T) {
	g := newRig(t, fine)
	before := g.proxy.gen()
	same := before.Config
	same.Upstreams = append([]settings.Upstream(nil), same.Upstreams...)
	same.Upstreams[0].Name = "renamed"
	g.proxy.swap(same)
	if g.proxy.gen().Upstreams[0].Learned != before.Upstreams[0].Learned {
		t.Error("what was learned is lost")
	}
	if resp, _ := g.chat(); resp.Header.Get("X-Outrigger-Upstream") != "renamed" {
		t.Errorf("answered by %q", resp.Header.Get("X-Outrigger-Upstream"))
	}
	other := same
	other.Upstreams = append([]settings.Upstream(nil), same.Upstreams...)
	if err := other.Upstreams[0].APIKey.UnmarshalText([]byte("another")); err != nil {
		t.Fatal(err)
	}
	g.proxy.swap(other)
	if g.proxy.gen().Upstreams[0].Learned != before.Upstreams[0].Learned {
		t.Error("what was learned is lost with the key")
	}
	moved := other
	moved.Upstreams = append([]settings.Upstream(nil), other.Upstreams...)
	moved.Upstreams[0].URL = before.Upstreams[0].Config.URL.JoinPath("elsewhere")
	g.proxy.swap(moved)
	if g.proxy.gen().Upstreams[0].Learned == before.Upstreams[0].Learned {
		t.Error("another URL has what was learned of the first")
	}
}

// A setting that bounds what is learned holds from then on, and all else is kept.
func TestSwap_AnotherLimitIsKeptTo(t *testing.T) {
	g := newRig(t, fine)
	before := g.proxy.gen()
	c := before.Config
	c.Upstreams = append([]settings.Upstream(nil), c.Upstreams...)
	c.Upstreams[0].RPM = 60
	g.proxy.swap(c)
	g.chat()
	for _, l := range g.status().Upstreams[0].Limits {
		for _, b := range l.State.Buckets {
			if b.Dimension == "requests" && b.Limit == 60 {
				return
			}
		}
	}
	t.Errorf("no limit of 60 requests in %+v", g.status().Upstreams[0].Limits)
}

// Two upstreams may have one URL and one credential, and different models. Each keeps its own.
func TestSwap_TwoUpstreamsBehindOneURLStayTwo(t *testing.T) {
	g := newRig(t, fine, func(c *settings.Config) {
		c.Upstreams = append(c.Upstreams, c.Upstreams[0])
		c.Upstreams[1].Name = "small"
	})
	before := g.proxy.gen()
	g.proxy.swap(before.Config)
	after := g.proxy.gen()
	for i := range after.Upstreams {
		if after.Upstreams[i].Learned != before.Upstreams[i].Learned {
			t.Errorf("upstream %d has not what it learned", i)
		}
	}
	if after.Upstreams[0].Learned == after.Upstreams[1].Learned {
		t.Error("both have one limiter and one breaker")
	}
}
