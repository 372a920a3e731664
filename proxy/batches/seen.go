package batches

import (
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/wire"
)

// most is how many batches are remembered; each takes some 50 bytes.
const most = 10_000

// Batches remembers in which states batches were seen. Make it with New. Safe for concurrent
// use.
type Batches struct {
	recorder observe.Recorder
	seed     maphash.Seed

	mu    sync.Mutex
	seen  map[uint64]uint16 // by upstream and id: a bit for each of Statuses, and one for others
	order []uint64          // the longest known first, from next on
	next  int
}

// New returns Batches that tell recorder of each batch in a state that it was not yet seen in.
func New(recorder observe.Recorder) *Batches {
	return &Batches{recorder: recorder, seed: maphash.MakeSeed(), seen: map[uint64]uint16{}}
}

// Reader returns what reads the answer to a call, nil if it shows no batches. A compressed
// answer is not read.
func (s *Batches) Reader(c *call.Call, upstream string, resp *http.Response) io.Writer {
	if s == nil || !Tells(c.Endpoint.Name) || !wire.IsSuccess(resp.StatusCode) || resp.Header.Get("Content-Encoding") != "" {
		return nil
	}
	return &Reader{tell: func(b *Batch) { s.see(c.ID, upstream, b) }}
}

// see takes in that a batch was seen.
func (s *Batches) see(id, upstream string, b *Batch) {
	if !s.isNew(upstream, b) {
		return
	}
	s.recorder.Span(id, observe.Moment(observe.SpanBatch, upstream, b.Status))
	switch b.Status {
	case "failed":
		s.recorder.Notice(observe.Notice{Level: slog.LevelWarn, Message: "a batch failed", Fields: fields(id, upstream, b)})
	case "expired":
		s.recorder.Notice(observe.Notice{Level: slog.LevelWarn, Message: "a batch expired", Fields: fields(id, upstream, b)})
	case "completed":
		if b.Failed > 0 {
			s.recorder.Notice(observe.Notice{Level: slog.LevelInfo, Message: "a batch completed, and some of its lines failed", Fields: fields(id, upstream, b)})
		}
	}
}

func fields(id, upstream string, b *Batch) []slog.Attr {
	all := []slog.Attr{
		slog.String("id", id), slog.String("upstream", upstream), wire.Field("batch", b.ID, longest),
		slog.Int64("lines", b.Total), slog.Int64("lines_completed", b.Completed), slog.Int64("lines_failed", b.Failed),
	}
	if b.ErrorFile != "" {
		all = append(all, wire.Field("error_file_id", b.ErrorFile, longest))
	}
	if b.ErrorCode != "" {
		all = append(all, wire.Field("error_code", b.ErrorCode, longest))
	}
	return all
}

// isNew reports whether a batch is seen in its state for the first time, and notes it.
func (s *Batches) isNew(upstream string, b *Batch) bool {
	key := maphash.Comparable(s.seed, [2]string{upstream, b.ID})
	bit := uint16(1) << (slices.Index(Statuses, b.Status) + 1) // 1 is all others
	s.mu.Lock()
	defer s.mu.Unlock()
	states, known := s.seen[key]
	if states&bit != 0 {
		return false
	}
	s.seen[key] = states | bit
	if known {
		return true
	}
	if len(s.order) < most {
		s.order = append(s.order, key)
		return true
	}
	delete(s.seen, s.order[s.next])
	s.order[s.next] = key
	s.next = (s.next + 1) % most
	return true
}
