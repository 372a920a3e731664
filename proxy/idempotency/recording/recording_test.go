package recording

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// room is a Room with a limit.
type room struct{ used, limit atomic.Int64 }

func newRoom(limit int64) *room {
	m := &room{}
	m.limit.Store(limit)
	return m
}

func (m *room) Reserve(n int64) bool {
	if m.used.Load()+n > m.limit.Load() {
		return false
	}
	m.used.Add(n)
	return true
}

func (m *room) Free(n int64) { m.used.Add(-n) }

// readAll reads to the end.
func readAll(ctx context.Context, d *Reader) (string, error) {
	var all []byte
	for {
		p, _, err := d.Next(ctx)
		all = append(all, p...)
		if err != nil {
			return string(all), err
		}
	}
}

func write(t *testing.T, r *Recording, text string) {
	t.Helper()
	if n, err := io.WriteString(r, text); n != len(text) || err != nil {
		t.Fatalf("writing %d bytes: %d, %v", len(text), n, err)
	}
}

func TestReadersGetEverythingFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := newRoom(1 << 20)
		r := New(memory, 1<<20)
		var readers sync.WaitGroup
		read := func() {
			d := r.Reader()
			readers.Go(func() {
				defer d.Close()
				status, h, err := d.Header(t.Context())
				if status != 201 || h.Get("X") != "y" || err != nil {
					t.Errorf("status %d, header %v, %v", status, h, err)
				}
				if got, err := readAll(t.Context(), d); got != "one two three " || !errors.Is(err, io.EOF) {
					t.Errorf("read %q, %v", got, err)
				}
			})
		}
		read() // before anything is there
		r.Header().Set("X", "y")
		r.WriteHeader(201)
		r.Header().Set("X", "too late")
		for _, word := range []string{"one ", "two ", "three "} {
			write(t, r, word)
			read() // in the middle of it
			synctest.Wait()
		}
		r.End(true)
		read() // at the end
		readers.Wait()
		if memory.used.Load() == 0 {
			t.Error("nothing is counted as held")
		}
		r.Close()
		if n := memory.used.Load(); n != 0 {
			t.Errorf("%d bytes are still counted as held", n)
		}
		if r.Reader() != nil {
			t.Error("one can begin to read what is closed")
		}
	})
}

func TestReadersGetBufferedBytesAtOnceAndTheRestAsItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(newRoom(1<<20), 1<<20)
		write(t, r, "one ")
		write(t, r, "two ")
		d := r.Reader()
		p, more, err := d.Next(t.Context())
		if string(p) != "one two " || !more || err != nil {
			t.Errorf("at first %q, more %t, %v", p, more, err)
		}
		time.AfterFunc(time.Minute, func() { write(t, r, "three") })
		began := time.Now()
		p, _, _ = d.Next(t.Context())
		if string(p) != "three" || time.Since(began) != time.Minute {
			t.Errorf("then %q after %v", p, time.Since(began))
		}
		r.End(true)
		if p, more, err = d.Next(t.Context()); p != nil || more || !errors.Is(err, io.EOF) {
			t.Errorf("at the end %q, more %t, %v", p, more, err)
		}
	})
}

func TestTheLastPartIsWithheldUntilTheEnd(t *testing.T) {
	tests := map[string]struct {
		write func(*Recording)
		early string
	}{
		"of known length": {func(r *Recording) {
			r.Header().Set("Content-Length", "6")
			_, _ = io.WriteString(r, "abc")
			_, _ = io.WriteString(r, "def")
		}, "abc"},
		"all of it": {func(r *Recording) {
			r.Header().Set("Content-Length", "6")
			_, _ = io.WriteString(r, "abcdef")
		}, ""},
		"of a stream": {func(r *Recording) {
			_, _ = io.WriteString(r, "abc")
			r.Withhold()
			_, _ = io.WriteString(r, "def")
		}, "abc"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := New(newRoom(1<<20), 1<<20)
				tt.write(r)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if got, err := readAll(ctx, r.Reader()); got != tt.early || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("before the end: %q, %v, want %q", got, err, tt.early)
				}
				r.End(true)
				if got, err := readAll(t.Context(), r.Reader()); got != "abcdef" || !errors.Is(err, io.EOF) {
					t.Errorf("at the end: %q, %v", got, err)
				}
			})
		})
	}
}

func TestBrokenAnswerEndsAsBrokenForAllReaders(t *testing.T) {
	r := New(newRoom(1<<20), 1<<20)
	before := r.Reader()
	write(t, r, "abc")
	r.End(false)
	for name, d := range map[string]*Reader{"who read already": before, "who comes late": r.Reader()} {
		if got, err := readAll(t.Context(), d); got != "abc" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestAnswerWithoutAStatusHasStatusZero(t *testing.T) {
	r := New(newRoom(1<<20), 1<<20)
	r.End(false)
	if status, _, err := r.Reader().Header(t.Context()); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

// What is too long to keep reaches those who read, in order and at their speed.
func TestUnbufferedAnswerIsPassedOn(t *testing.T) {
	tests := map[string]struct {
		largest, memory int64
		length          string // announced
	}{
		"over the largest":      {10, 1 << 20, ""},
		"announced as over it":  {10, 1 << 20, "100"},
		"over the memory":       {1 << 20, firstBytes, ""},
		"without any memory":    {1 << 20, 0, ""},
		"announced, no memory":  {1 << 20, 0, "100"},
		"nothing may be stored": {0, 1 << 20, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := newRoom(tt.memory)
				r := New(memory, tt.largest)
				want := bytes.Repeat([]byte("0123456789"), 1000)
				if tt.length != "" {
					r.Header().Set("Content-Length", fmt.Sprint(len(want)))
				}
				var readers sync.WaitGroup
				for i := range 3 {
					d := r.Reader()
					readers.Go(func() {
						defer d.Close()
						var got []byte
						for {
							p, _, err := d.Next(t.Context())
							got = append(got, p...)
							if err != nil {
								break
							}
							time.Sleep(time.Duration(i) * time.Second)
						}
						if !bytes.Equal(got, want) {
							t.Errorf("reader %d got %d bytes, want %d", i, len(got), len(want))
						}
					})
				}
				for rest := want; len(rest) > 0; rest = rest[500:] {
					write(t, r, string(rest[:500]))
				}
				if r.Reader() != nil {
					t.Error("one can begin to read what is no longer there")
				}
				if _, _, _, kept := r.Answer(); kept {
					t.Error("it passes for kept")
				}
				r.End(true)
				r.Close()
				readers.Wait()
				if n := memory.used.Load(); n != 0 {
					t.Errorf("%d bytes are still counted as held", n)
				}
			})
		})
	}
}

func TestUnbufferedAnswerWithoutReadersFailsToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(newRoom(1<<20), 5)
		d := r.Reader()
		write(t, r, "12345")
		time.AfterFunc(time.Second, d.Close)
		if n, err := io.WriteString(r, "6"); n != 0 || !errors.Is(err, ErrUnread) {
			t.Errorf("wrote %d bytes, %v, want ErrUnread", n, err)
		}
	})
}

func TestBufferedAnswerIsWrittenWithoutReaders(t *testing.T) {
	r := New(newRoom(1<<20), 1<<20)
	r.Header()["Content-Type"] = nil // as the relay says that there is none
	r.Header().Set("Trailer", "X-Sum")
	r.WriteHeader(http.StatusContinue)
	r.WriteHeader(http.StatusAccepted)
	write(t, r, "abc")
	status, header, body, kept := r.Answer()
	if want := (http.Header{"Content-Type": nil}); status != 202 || !reflect.DeepEqual(header, want) || string(body) != "abc" || !kept {
		t.Errorf("status %d, header %v, body %q, kept %t", status, header, body, kept)
	}
}

func TestARecordingTakesOnlyTheMemoryItNeeds(t *testing.T) {
	memory := newRoom(1 << 30)
	r := New(memory, 1<<20)
	r.Header().Set("Content-Length", "100000")
	write(t, r, string(make([]byte, 1000)))
	if n := memory.used.Load(); n != 100000 {
		t.Errorf("%d bytes are taken for an announced 100000", n)
	}
	r = New(newRoom(1<<30), 1<<20)
	for range 1 << 10 {
		write(t, r, string(make([]byte, 1<<10)))
	}
	if n := r.reserved; n != 1<<20 {
		t.Errorf("%d bytes are taken for 1 MiB", n)
	}
}

// Whatever the sizes and the pauses, every reader that began in time gets a prefix
// that grows to all, and all memory is given back.
func TestAnyReadersGetTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		memory := newRoom(rapid.Int64Range(0, 20_000).Draw(t, "memory"))
		r := New(memory, rapid.Int64Range(0, 20_000).Draw(t, "largest"))
		pieces := rapid.SliceOfN(rapid.IntRange(0, 3000), 0, 12).Draw(t, "pieces")
		whole := rapid.Bool().Draw(t, "whole")
		var want []byte
		var readers sync.WaitGroup
		var failed atomic.Value
		join := func() {
			d := r.Reader()
			if d == nil {
				return
			}
			leaves := rapid.IntRange(-1, 3).Draw(t, "leaves after")
			readers.Go(func() {
				defer d.Close()
				var got []byte
				for i := 0; i != leaves; i++ {
					p, _, err := d.Next(context.Background())
					got = append(got, p...)
					if err == nil {
						continue
					}
					if errors.Is(err, io.EOF) != whole || !bytes.Equal(got, want) {
						failed.Store(fmt.Sprintf("read %d bytes, %v, want %d", len(got), err, len(want)))
					}
					return
				}
			})
		}
		for i, n := range pieces {
			if rapid.Bool().Draw(t, "join") {
				join()
			}
			piece := bytes.Repeat([]byte{byte(i)}, n)
			if _, err := r.Write(piece); err != nil {
				whole = false // nobody is left who could see it
				break
			}
			want = append(want, piece...)
		}
		join()
		r.End(whole)
		r.Close()
		readers.Wait()
		if text := failed.Load(); text != nil {
			t.Fatal(text)
		}
		if n := memory.used.Load(); n != 0 {
			t.Fatalf("%d bytes are still counted as held", n)
		}
	})
}
