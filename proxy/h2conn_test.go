package proxy

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2/hpack"

	"outrigger/proxy/settings"
)

// The frames of HTTP/2 that tests write by hand (RFC 9113, section 6).
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	framePing     = 0x6
	frameGoAway   = 0x7

	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4

	codeNone     = 0x0
	codeProtocol = 0x1
	codeInternal = 0x2
	codeRefused  = 0x7
	codeCancel   = 0x8
	codeCalm     = 0xb
)

const h2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// h2Frame is one frame.
type h2Frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

// h2Wire reads and writes frames on a connection.
type h2Wire struct {
	io.ReadWriter
	block   bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
}

func newH2Wire(rw io.ReadWriter) *h2Wire {
	w := &h2Wire{ReadWriter: rw}
	w.encoder = hpack.NewEncoder(&w.block)
	w.decoder = hpack.NewDecoder(4096, nil)
	return w
}

func (w *h2Wire) write(f h2Frame) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(f.payload))<<8|uint32(f.kind))
	head = append(head, f.flags)
	head = binary.BigEndian.AppendUint32(head, f.stream)
	_, err := w.Write(append(head, f.payload...))
	return err
}

func (w *h2Wire) read() (h2Frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(w, head[:]); err != nil {
		return h2Frame{}, err
	}
	f := h2Frame{kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[5:]) &^ (1 << 31)}
	f.payload = make([]byte, binary.BigEndian.Uint32(head[:4])>>8)
	_, err := io.ReadFull(w, f.payload)
	return f, err
}

// headers writes a HEADERS frame of "name: value" lines.
func (w *h2Wire) headers(stream uint32, flags byte, lines ...string) error {
	w.block.Reset()
	for _, line := range lines {
		name, value, _ := strings.Cut(line[1:], ": ") // a pseudo-header begins with a colon
		_ = w.encoder.WriteField(hpack.HeaderField{Name: line[:1] + name, Value: value})
	}
	return w.write(h2Frame{frameHeaders, flags | flagEndHeaders, stream, w.block.Bytes()})
}

// fields decodes the header block of a HEADERS frame without padding or priority.
func (w *h2Wire) fields(f h2Frame) map[string]string {
	fields, _ := w.decoder.DecodeFull(f.payload)
	m := map[string]string{}
	for _, field := range fields {
		m[field.Name] = field.Value
	}
	return m
}

func (w *h2Wire) reset(stream, code uint32) error {
	return w.write(h2Frame{frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code)})
}

// goAway tells that streams above last were not processed.
func (w *h2Wire) goAway(last, code uint32) error {
	payload := binary.BigEndian.AppendUint32(nil, last)
	return w.write(h2Frame{frameGoAway, 0, 0, binary.BigEndian.AppendUint32(payload, code)})
}

// h2Upstream is an upstream that a test scripts frame by frame, over TLS.
type h2Upstream struct {
	server *httptest.Server
	begun  atomic.Int64 // requests whose HEADERS arrived, without those for goodPath
	conns  atomic.Int64
	http1  http.HandlerFunc // what it answers over HTTP/1.1; nil breaks off
	first  atomic.Int64     // requests over HTTP/1.1, which begun counts too
}

// ServeHTTP answers over HTTP/1.1.
func (u *h2Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.URL.Path == goodPath {
		_, _ = io.WriteString(w, "good")
		return
	}
	u.begun.Add(1)
	u.first.Add(1)
	if u.http1 == nil {
		panic(http.ErrAbortHandler)
	}
	u.http1(w, r)
}

// newH2Upstream starts one and a proxy in front of it. script is called when a
// request has arrived whole, or, if early, when its HEADERS have.
func newH2Upstream(t testing.TB, early bool, script func(w *h2Wire, stream uint32, request int), edits ...func(*settings.Config)) (*rig, *h2Upstream) {
	t.Helper()
	u := &h2Upstream{}
	u.server = httptest.NewUnstartedServer(u)
	u.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	u.server.TLS = &tls.Config{NextProtos: []string{"h2"}}
	u.server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
			u.conns.Add(1)
			u.serve(newH2Wire(conn), early, script)
		},
	}
	u.server.StartTLS()
	t.Cleanup(func() {
		u.server.CloseClientConnections()
		u.server.Close()
	})
	g := newRigAt(t, u.server.URL, edits...)
	roots := u.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for _, transport := range []http.RoundTripper{g.proxy.gen().Upstreams[0].Pooled, g.proxy.gen().Upstreams[0].Fresh} {
		transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return g, u
}

func (u *h2Upstream) serve(w *h2Wire, early bool, script func(w *h2Wire, stream uint32, request int)) {
	preface := make([]byte, len(h2Preface))
	if _, err := io.ReadFull(w, preface); err != nil {
		return
	}
	_ = w.write(h2Frame{kind: frameSettings})
	numbers := map[uint32]int{}
	for {
		f, err := w.read()
		if err != nil {
			return
		}
		switch {
		case f.kind == frameSettings && f.flags&flagAck == 0:
			_ = w.write(h2Frame{kind: frameSettings, flags: flagAck})
		case f.kind == framePing && f.flags&flagAck == 0:
			_ = w.write(h2Frame{framePing, flagAck, 0, f.payload})
		case f.kind == frameHeaders:
			if fields := w.fields(f); fields[":path"] == goodPath {
				_ = w.headers(f.stream, 0, ":status: 200")
				_ = w.write(h2Frame{frameData, flagEndStream, f.stream, []byte("good")})
				continue
			}
			numbers[f.stream] = int(u.begun.Add(1))
			if early || f.flags&flagEndStream != 0 {
				script(w, f.stream, numbers[f.stream])
			}
		case f.kind == frameData && f.flags&flagEndStream != 0 && !early:
			script(w, f.stream, numbers[f.stream])
		}
	}
}

// quietLog is for servers whose connections a test breaks.
var quietLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
