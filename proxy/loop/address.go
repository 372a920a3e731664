package loop

import (
	"outrigger/internal/clip"
	"outrigger/proxy/lane"
	"outrigger/proxy/wire"
)

// faceOf returns the request as an upstream is to get it, and who pays for it there.
func (x *Run) faceOf(up *lane.Lane) Facing {
	f := Facing{Up: up, Outbound: x.request}
	if len(x.Candidates) > 1 { // the next one begins with what the caller sent
		f.Outbound = x.request.WithContext(x.request.Context())
		address := *x.request.URL
		f.Outbound.URL, f.Outbound.Header = &address, x.request.Header.Clone()
	}
	f.rename(x.Facts)
	if f.Spliced != "" && x.Encoded.Codings != nil {
		f.Outbound.Header.Del("Content-Encoding") // it goes as it reads; see outgoing
	}
	up.Address(f.Outbound, f.Sent, x.Meant)
	if x.IsAsked(up) {
		f.Outbound.URL.Path, f.Outbound.URL.RawPath = x.Asked.Path, x.Asked.RawPath
	}
	f.credential = x.Credentials.Payer(f.Outbound)
	f.model = f.Sent
	if f.model == "" {
		f.model = x.Endpoint.Name // what has no model has limits of its own
	}
	f.model = clip.Text(withTier(f.model, x.Facts.Tier), wire.MaxModel)
	return f
}
