package loop

import (
	"net/http"
	"net/http/httptrace"

	"outrigger/proxy/body"
)

// keepsAwake makes the caller be told, if it is such a one. Out is what ReverseProxy made of its request.
func (x *Run) keepsAwake(out *http.Request) {
	if !x.Hears1xx || x.Size <= body.OneWrite || x.Once != nil {
		return
	}
	trace := httptrace.ContextClientTrace(out.Context())
	if trace == nil || trace.Got1xxResponse == nil {
		return
	}
	bears := body.HttpxTimeout
	if x.Patience.Idle > 0 { // it says so
		bears = x.Patience.Silence
	}
	x.Awake = &body.Awake{Every: bears / body.AwakeShare, Start: x.Start, Hint: trace.Got1xxResponse}
	x.Awake.Told.Store(x.Motion.Last.Load())
}
