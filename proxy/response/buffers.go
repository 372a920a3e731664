package response

import "sync"

// bufferSize is what an open stream keeps of the relay's memory. Twice as much did not
// make long answers faster (BenchmarkRelay); an event has some hundred bytes.
const bufferSize = 16 << 10

// bufferPool lends buffers to the relay's copies and the holds.
type bufferPool struct{ pool sync.Pool }

// Buffers are shared by the relay and the holds, 16 KiB each.
var Buffers = &bufferPool{sync.Pool{New: func() any {
	b := make([]byte, bufferSize)
	return &b
}}}

func (p *bufferPool) Get() *[]byte  { return p.pool.Get().(*[]byte) }
func (p *bufferPool) Put(b *[]byte) { p.pool.Put(b) }

// RelayBuffers is the same pool as httputil.ReverseProxy wants it.
type RelayBuffers struct{}

// Get implements httputil.BufferPool.
func (RelayBuffers) Get() []byte { return *Buffers.Get() }

// Put implements httputil.BufferPool.
func (RelayBuffers) Put(b []byte) { Buffers.Put(&b) }
