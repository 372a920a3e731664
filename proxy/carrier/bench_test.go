package carrier

import (
	"net/http"
	"testing"
)

// BenchmarkIdentity reads what an SDK sends, as every request is read.
func BenchmarkIdentity(b *testing.B) {
	h := http.Header{}
	for name, value := range map[string]string{
		"Authorization": "Bearer sk-test", "Accept": "application/json", "Content-Type": "application/json", "User-Agent": "OpenAI/Python 3.54.0",
		"X-Stainless-Lang": "python", "X-Stainless-Os": "Linux", "X-Stainless-Retry-Count": "0", "X-Stainless-Read-Timeout": "600",
		"Accept-Encoding": "gzip", "X-Custom": "value", "Connection": "keep-alive",
	} {
		h.Set(name, value)
	}
	h["idempotency-key"] = []string{"made"}
	own := []string{"Authorization"}
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = Identity(buf[:0], h, "", Payer, own...)
	}
}
