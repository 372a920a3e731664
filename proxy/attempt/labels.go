package attempt

import (
	"strings"

	"outrigger/proxy/response"
	"outrigger/proxy/wire"
)

// labels returns those of a's answer.
func (a *Attempt) labels() response.Labels {
	x := a.Call
	h := a.Resp.Header
	l := response.Labels{Kind: wire.MediaType(h), Encoding: h.Get("Content-Encoding"), Dialect: x.Endpoint.Dialect}
	owed := wire.IsSuccess(a.Resp.StatusCode) && x.OwesJSON()
	if !x.DeliversFiles() {
		l.Asked = l.Kind == wire.TypeEvents || wire.IsSuccess(a.Resp.StatusCode) && x.AsksForStream()
	}
	// Text alone may be the answer of those who take no notice of what was asked for: a transcript.
	l.Owed = l.Kind == wire.TypeEvents || l.Asked && (owed || wire.MayBeText(l.Kind) && !strings.HasPrefix(l.Kind, "text/"))
	l.Events = l.Asked || owed || l.Kind == wire.TypeJSON && wire.IsSuccess(a.Resp.StatusCode) && !x.DeliversFiles()
	l.Whole = l.Kind == wire.TypeJSON || owed && wire.MayBeText(l.Kind)
	return l
}
