package proxy

import "sync"

// bufferSize is what an open stream keeps of the relay's memory. Twice as much did not
// make long answers faster (BenchmarkRelay); an event has some hundred bytes.
const bufferSize = 16 << 10

// bufferPool lends buffers to the relay's copies and the holds.
type bufferPool struct{ pool sync.Pool }

var buffers = &bufferPool{sync.Pool{New: func() any {
	b := make([]byte, bufferSize)
	return &b
}}}

func (p *bufferPool) get() *[]byte  { return p.pool.Get().(*[]byte) }
func (p *bufferPool) put(b *[]byte) { p.pool.Put(b) }

// relayBuffers is the same pool as httputil.ReverseProxy wants it.
type relayBuffers struct{}

func (relayBuffers) Get() []byte  { return *buffers.get() }
func (relayBuffers) Put(b []byte) { buffers.put(&b) }
