package spool

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"outrigger/internal/values"
)

// BenchmarkBody is one body from its caller to one attempt.
func BenchmarkBody(b *testing.B) {
	for _, size := range []int64{500, 20_000, 1 << 20, 20_000_000} {
		b.Run(fmt.Sprint("size:", values.Bytes(size)), func(b *testing.B) {
			s := New(Config{BodyMemory: 1 << 20, BodyMax: 1 << 30, MemoryMax: 256 << 20, SpoolMax: 10 << 30, Dir: b.TempDir()})
			p, from := content(int(size)), bytes.NewReader(nil)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				from.Reset(p)
				body, err := s.Read(from, size)
				if err != nil {
					b.Fatal(err)
				}
				_, err = body.Reader().WriteTo(io.Discard)
				if err != nil {
					b.Fatal(err)
				}
				body.Close()
			}
		})
	}
}

// BenchmarkSpooled is small bodies on disk, several at once, as when memory is used up.
func BenchmarkSpooled(b *testing.B) {
	s := New(Config{BodyMax: 1 << 30, MemoryMax: 256 << 20, SpoolMax: 10 << 30, Dir: b.TempDir()})
	p := content(5000)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		from := bytes.NewReader(nil)
		for pb.Next() {
			from.Reset(p)
			body, err := s.Read(from, 5000)
			if err != nil {
				b.Error(err)
				return
			}
			body.Close()
		}
	})
}

// BenchmarkBodyParallel shows what the shared accounts cost.
func BenchmarkBodyParallel(b *testing.B) {
	s := New(Config{BodyMemory: 1 << 20, BodyMax: 1 << 30, MemoryMax: 256 << 20, SpoolMax: 10 << 30})
	p := content(500)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		from := bytes.NewReader(nil)
		for pb.Next() {
			from.Reset(p)
			body, err := s.Read(from, 500)
			if err != nil {
				b.Error(err)
				return
			}
			body.Close()
		}
	})
}
