package spool

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"
	"testing/iotest"
)

func TestOnceFreesThePrefixBeforeTheRestFlows(t *testing.T) {
	s := newStore(t, roomy)
	b := mustRead(t, s, content(1000), -1)
	checked := false
	rest := readerFunc(func([]byte) (int, error) {
		memory, spool := s.Usage()
		if memory != 0 || spool != 0 {
			t.Errorf("memory %d, spool %d while the rest flows", memory, spool)
		}
		checked = true
		return 0, io.EOF
	})
	wantContent(t, iotest.OneByteReader(b.Once(rest)), content(1000))
	if !checked {
		t.Error("the rest was not read")
	}
}

func TestOnceTellsABrokenCallerFromABrokenDisk(t *testing.T) {
	b := mustRead(t, newStore(t, roomy), content(10), -1)
	_, err := io.ReadAll(b.Once(iotest.ErrReader(syscall.ECONNRESET)))
	var broken *ReadError
	if !errors.As(err, &broken) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want a ReadError of ECONNRESET", err)
	}
}

func TestOnceKeepsTheLimit(t *testing.T) {
	c := roomy
	c.BodyMax = 1000
	for rest, want := range map[int]error{900: nil, 901: ErrTooLarge, 5000: ErrTooLarge} {
		b := mustRead(t, newStore(t, c), content(100), -1)
		got, err := io.ReadAll(b.Once(bytes.NewReader(content(rest))))
		if !errors.Is(err, want) || len(got) != 1000 {
			t.Errorf("100 and %d bytes: %d bytes, error %v; want 1000, %v", rest, len(got), err, want)
		}
	}
}

func TestOnceEndsWithClose(t *testing.T) {
	s := newStore(t, roomy)
	b := mustRead(t, s, content(1000), -1)
	r := b.Once(bytes.NewReader(content(1000)))
	_, _ = r.Read(make([]byte, 10))
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	_, err := r.Read(make([]byte, 10))
	if memory, _ := s.Usage(); !errors.Is(err, ErrClosed) || memory != 0 {
		t.Errorf("after Close: error %v, memory %d", err, memory)
	}
}
