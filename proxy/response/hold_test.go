package response

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// timed yields chunks, each after its wait, and then err.
type timed struct {
	chunks []chunk
	err    error
	closed bool
}

type chunk struct {
	after time.Duration
	text  string
}

func (s *timed) Read(p []byte) (int, error) {
	if len(s.chunks) == 0 {
		return 0, s.err
	}
	c := s.chunks[0]
	s.chunks = s.chunks[1:]
	time.Sleep(c.after) // the bubble's clock
	return copy(p, c.text), nil
}

func (s *timed) Close() error { s.closed = true; return nil }

func TestHoldGivesUpWaitingAndLosesNothing(t *testing.T) {
	tests := map[string]struct {
		chunks  []chunk
		err     error
		within  time.Duration
		waited  time.Duration
		opening string
		ended   error
	}{
		"all at once":               {[]chunk{{0, "abc"}}, io.EOF, time.Second, 0, "abc", io.EOF},
		"slow, but in time":         {[]chunk{{100, "a"}, {200, "b"}}, io.EOF, time.Second, 300, "ab", io.EOF},
		"too slow":                  {[]chunk{{100, "a"}, {time.Hour, "b"}}, io.EOF, time.Second, 100 + time.Second, "a", nil},
		"the first byte takes long": {[]chunk{{time.Hour, "a"}}, io.EOF, time.Second, time.Hour, "a", io.EOF},
		"broken off":                {[]chunk{{0, "a"}}, io.ErrUnexpectedEOF, time.Second, 0, "a", io.ErrUnexpectedEOF},
		"larger than is held":       {[]chunk{{0, "12345678"}, {time.Hour, "9"}}, io.EOF, time.Second, 0, "12345678", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := ""
				for _, c := range tt.chunks {
					all += c.text
				}
				src := &timed{chunks: tt.chunks, err: tt.err}
				start, begun := time.Now(), false
				h := NewHold(src, &memory{most: 100}, 8, nil)
				h.Wait(func() time.Duration { begun = true; return tt.within })
				if got := time.Since(start); got != tt.waited || !begun {
					t.Errorf("waited %s (begun %t), want %s", got, begun, tt.waited)
				}
				opening, err := h.Opening()
				if string(opening) != tt.opening || !errors.Is(err, tt.ended) {
					t.Errorf("opening %q %v, want %q %v", opening, err, tt.opening, tt.ended)
				}
				got := &bytes.Buffer{}
				_, err = io.Copy(got, h)
				if got.String() != all {
					t.Errorf("read %q, want %q", got, all)
				}
				if want := tt.err; errors.Is(want, io.EOF) && err != nil || !errors.Is(want, io.EOF) && !errors.Is(err, want) {
					t.Errorf("ended with %v, want %v", err, want)
				}
				if h.Close(); !src.closed {
					t.Error("the source was not closed")
				}
			})
		})
	}
}

// memory counts what is reserved of it.
type memory struct{ most, used int64 }

func (m *memory) Reserve(n int64) bool {
	if m.used+n > m.most {
		return false
	}
	m.used += n
	return true
}

func (m *memory) Free(n int64) { m.used -= n }

func TestHoldStopsHoldingWhereTheMemoryForAllRequestsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := &memory{most: 5}
		h := NewHold(&timed{chunks: []chunk{{0, "1234"}, {0, "5678"}, {time.Hour, "9"}}, err: io.EOF}, room, 100, nil)
		start := time.Now()
		h.Wait(func() time.Duration { return time.Minute })
		if took := time.Since(start); took != 0 {
			t.Errorf("it waited %s for what it could not hold", took)
		}
		if opening, err := h.Opening(); string(opening) != "12345678" || err != nil || room.used != 4 {
			t.Errorf("held %q, %v, with %d bytes reserved", opening, err, room.used)
		}
		if all, err := io.ReadAll(h); string(all) != "123456789" || err != nil {
			t.Errorf("read %q, %v", all, err)
		}
		_, _ = h.Close(), h.Close()
		if room.used != 0 {
			t.Errorf("%d bytes are still reserved", room.used)
		}
	})
}
