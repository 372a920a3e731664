package crowd

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// idHeader tells the upstream whose request it has.
const idHeader = "X-Crowd-Id"

// sink is an upstream that reads bodies to their end and answers when told to.
type sink struct {
	url    string
	answer func()            // lets all answers go
	hangUp func()            // closes its connections
	leaves func(id int) bool // whose bodies may be cut off; nil for nobody's

	mu      sync.Mutex
	arrived map[int]int // whole bodies, by id
	broken  []error
	running int
	most    int // running at once since mostSoFar was called
}

// newSink returns a sink that expects bodies filled with size bytes.
func newSink(t *testing.T, size int64) *sink {
	t.Helper()
	held := make(chan struct{})
	s := &sink{arrived: map[int]int{}, answer: sync.OnceFunc(func() { close(held) })}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.count(1)
		defer s.count(-1)
		id, _ := strconv.Atoi(r.Header.Get(idHeader))
		s.note(id, body{id: id, size: size, create: r.URL.Path == "/v1/files"}.check(r.Body))
		select {
		case <-held:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"id":"` + strconv.Itoa(id) + `","object":"crowd"}`))
	}))
	t.Cleanup(server.Close)
	t.Cleanup(s.answer)
	s.url, s.hangUp = server.URL, server.CloseClientConnections
	return s
}

func (s *sink) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running += n
	s.most = max(s.most, s.running)
}

// mostSoFar is how many requests ran at once at most since it was called before.
func (s *sink) mostSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := s.most
	s.most = s.running
	return most
}

func (s *sink) note(id int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaves != nil && s.leaves(id) && errors.Is(err, errCutOff) {
		return
	}
	if err != nil {
		s.broken = append(s.broken, err)
		return
	}
	s.arrived[id]++
}

// whole is how many requests have arrived whole, how often the one with id did,
// and what arrived broken.
func (s *sink) whole(id int) (int, int, []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.arrived), s.arrived[id], s.broken
}

// isAnswer reports whether text is the sink's answer to the request with id.
func isAnswer(text []byte, id int) bool {
	return strings.HasPrefix(string(text), `{"id":"`+strconv.Itoa(id)+`"`)
}
