package proxy

import "sync"

// bufferPool lends 32 KiB buffers, to the relay's copies and the holds.
type bufferPool struct{ pool sync.Pool }

var buffers = &bufferPool{sync.Pool{New: func() any {
	b := make([]byte, 32<<10)
	return &b
}}}

func (p *bufferPool) get() *[]byte  { return p.pool.Get().(*[]byte) }
func (p *bufferPool) put(b *[]byte) { p.pool.Put(b) }

// relayBuffers is the same pool as httputil.ReverseProxy wants it.
type relayBuffers struct{}

func (relayBuffers) Get() []byte  { return *buffers.get() }
func (relayBuffers) Put(b []byte) { buffers.put(&b) }
