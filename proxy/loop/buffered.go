package loop

import (
	"net/http"
	"time"

	"outrigger/proxy/response"
)

// kept gives the caller an answer that was kept, and notes it in the record.
func (x *Run) kept(out *http.Request, s *response.Buffered) *http.Response {
	r := &x.Record
	r.Verdict, r.First, r.BytesOut = s.Verdict, time.Since(x.Start), int64(len(s.Body))
	r.Failed(s.Verdict.Error)
	return s.Response(out)
}
