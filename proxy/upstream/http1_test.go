package upstream

import (
	"testing"
	"time"
)

func TestHTTP1Only_TakesEvidenceAndForgets(t *testing.T) {
	now := time.Now()
	h := &http1Only{}
	check := func(what string, want bool) {
		t.Helper()
		if h.Wanted(now) != want {
			t.Errorf("%s: wanted is %t", what, !want)
		}
	}
	check("at first", false)
	h.Broke(now, http2Broken)
	check("after one failure it is the request's own affair", false)
	h.Answered(now, false)
	h.Broke(now, http2Broken)
	check("and after another one, with an answer between", false)
	h.Broke(now, http2Broken)
	check("two in a row", true)
	h.Answered(now, true)
	check("and HTTP/1.1 works", true)
	now = now.Add(HTTP1Time)
	check("a while later", false)
	h.Broke(now, http2Broken)
	h.Unreachable(now)
	h.Broke(now, http2Broken)
	check("where there is no HTTP/1.1", false)
	if h.Broke(now, http2Broken) {
		t.Error("it is tried all the same")
	}
	now = now.Add(HTTP1Time)
	check("a while later still", true)
}
