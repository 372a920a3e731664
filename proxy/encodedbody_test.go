package proxy

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"outrigger/proxy/body"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/loop"
	"outrigger/proxy/pick"
	"outrigger/proxy/settings"
	"outrigger/proxy/spool"
)

// squeezed returns text in codings, in the order in which they are named; "raw" is deflate
// without zlib's header.
func squeezed(t testing.TB, text string, codings ...string) string {
	t.Helper()
	for _, coding := range codings {
		var b bytes.Buffer
		var w io.WriteCloser
		switch coding {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "deflate":
			w = zlib.NewWriter(&b)
		case "raw":
			w, _ = flate.NewWriter(&b, flate.DefaultCompression)
		case "br":
			w = brotli.NewWriterLevel(&b, 1) // the best takes half a minute under the race detector
		case "zstd":
			w, _ = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		}
		_, err := io.WriteString(w, text)
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		text = b.String()
	}
	return text
}

// On sockets: zstd's decoders have channels of their own, which no bubble lends to another.
func TestACompressedCreateIsSentOnce(t *testing.T) {
	const (
		background = `{"model":"m","input":"hi","background":true}`
		plain      = `{"model":"m","input":"hi"}`
		stored     = `{"model":"m","messages":[],"store":true}`
		chat       = `{"model":"m","messages":[]}`
		responses  = "/v1/responses"
		chats      = "/v1/chat/completions"
	)
	form := "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--B--\r\n"
	// One mebibyte over body.decodedLeast.
	bomb := squeezed(t, `{"model":"m","input":"`+strings.Repeat("x", 64<<20+1<<20)+`"}`, "gzip")
	for name, tt := range map[string]struct {
		path, said, body string
		kind             string
		calls            int64
		log              string
	}{
		"gzip":                        {responses, "gzip", squeezed(t, background, "gzip"), "", 1, `"model":"m","encoding":"gzip"`},
		"br":                          {responses, "br", squeezed(t, background, "br"), "", 1, `"encoding":"br"`},
		"zstd":                        {responses, "zstd", squeezed(t, background, "zstd"), "", 1, `"encoding":"zstd"`},
		"deflate":                     {responses, "deflate", squeezed(t, background, "deflate"), "", 1, `"encoding":"deflate"`},
		"raw deflate":                 {responses, "Deflate", squeezed(t, background, "raw"), "", 1, `"encoding":"deflate"`},
		"two codings":                 {responses, "gzip, br", squeezed(t, background, "gzip", "br"), "", 1, `"encoding":"gzip, br"`},
		"not said to be compressed":   {responses, "", squeezed(t, background, "gzip"), "", 1, `"encoding":"gzip"`},
		"said to be another one":      {responses, "br", squeezed(t, background, "zstd"), "", 1, `"encoding":"zstd"`},
		"a conversation":              {responses, "gzip", squeezed(t, `{"model":"m","conversation":"c"}`, "gzip"), "", 1, `"model":"m"`},
		"a chat that is stored":       {chats, "zstd", squeezed(t, stored, "zstd"), "", 1, `"model":"m"`},
		"as text":                     {chats, "gzip", squeezed(t, stored, "gzip"), "text/plain", 1, `"model":"m"`},
		"said to be gzip, and is not": {responses, "gzip", background, "", 1, `"model":"m"`},
		"none of them creates":        {responses, "gzip", squeezed(t, plain, "gzip"), "", 3, `"model":"m"`},
		"nor this chat":               {chats, "br", squeezed(t, chat, "br"), "", 3, `"model":"m"`},
		"nor under another base":      {"/api/chat/completions", "gzip", squeezed(t, chat, "gzip"), "", 3, `"model":"m"`},
		"nor in plain under a label":  {chats, "gzip", chat, "", 3, `"model":"m"`},
		"nor a form":                  {"/v1/audio/transcriptions", "gzip", squeezed(t, form, "gzip"), "multipart/form-data; boundary=B", 3, `"model":"m"`},
		"cut short":                   {chats, "gzip", squeezed(t, chat, "gzip")[:30], "", 1, `"unread":"unexpected EOF"`},
		"broken":                      {chats, "br", "\xff\xff" + chat, "", 1, `"unread":"decoding: `},
		"of an unknown coding":        {chats, "snappy", "\xff" + chat, "", 1, `"unread":"\"snappy\": content coding is not supported"`},
		"mislabelled":                 {chats, "gzip", "nothing of the kind", "", 1, `"unread":"\"gzip\": the body is not what its Content-Encoding says"`},
		"a bomb":                      {chats, "gzip", bomb, "", 1, `"unread":"decodes to too much"`},
		"a bomb within":               {chats, "gzip, zstd", squeezed(t, bomb, "zstd"), "", 1, `"unread":"decodes to too much"`},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			arrived := 0
			g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				if string(body) == tt.body && r.Header.Get("Content-Encoding") == tt.said {
					arrived++
				}
				mu.Unlock()
				apiError(500)(w, r, n)
			}, func(c *settings.Config) { c.Retry.Max = 2 })
			r := g.request(http.MethodPost, tt.path, tt.body)
			if tt.said != "" {
				r.Header.Set("Content-Encoding", tt.said)
			}
			if tt.kind != "" {
				r.Header.Set("Content-Type", tt.kind)
			}
			resp, body := g.do(r)
			if resp.StatusCode != 500 || g.calls.Load() != tt.calls {
				t.Errorf("got %d after %d calls, want %d: %s", resp.StatusCode, g.calls.Load(), tt.calls, body)
			}
			eventually(t, "the log", func() bool { return strings.Contains(g.log.String(), tt.log) })
			mu.Lock()
			defer mu.Unlock()
			if int64(arrived) != tt.calls {
				t.Errorf("%d of %d calls brought the body as it was sent", arrived, tt.calls)
			}
		})
	}
}

func TestACompressedBodyThatCannotBeKeptIsACreate(t *testing.T) {
	const head = `{"model":"m","input":"`
	text := head + string(noiseText(1<<20)) + `"}`
	for name, body := range map[string]string{"said": squeezed(t, text, "br"), "unsaid": squeezed(t, text, "gzip")} {
		g := newRig(t, fine, func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1<<16, 0 })
		r := g.request(http.MethodPost, "/v1/responses", body)
		if name == "said" {
			r.Header.Set("Content-Encoding", "br")
		}
		resp, answer := g.do(r)
		if resp.StatusCode != 200 || g.calls.Load() != 1 {
			t.Errorf("%s: got %d after %d calls: %s", name, resp.StatusCode, g.calls.Load(), answer)
		}
		eventually(t, "the log", func() bool { return strings.Contains(g.log.String(), `"unread":"the body is compressed`) })
	}
}

// noiseText is text that hardly compresses.
func noiseText(n int64) []byte {
	text := make([]byte, n)
	_, _ = io.ReadFull(&noise{left: n}, text)
	for i, c := range text {
		text[i] = 'a' + c&15
	}
	return text
}

func TestTheModelOfACompressedBodyIsRenamed(t *testing.T) {
	long := strings.Repeat("x", 300<<10)
	g, got := catching(t, func(c *settings.Config) { c.Bodies.BodyMemory = 4 << 10 }, renames(settings.Model{Requested: "gpt-4o", Sent: "own"}))
	for name, tt := range map[string]struct {
		said, text string
		codings    []string
	}{
		"gzip":            {"gzip", `{"model":"gpt-4o","n":1}`, []string{"gzip"}},
		"br":              {"br", `{"model":"gpt-4o","input":"` + long + `"}`, []string{"br"}},
		"zstd, unsaid":    {"", `{"input":"` + long + `","model":"gpt-4o"}`, []string{"zstd"}},
		"two":             {"deflate, gzip", `{"model":"gpt-4o"}`, []string{"raw", "gzip"}},
		"a body on disk":  {"gzip", `{"model":"gpt-4o","input":"` + string(noiseText(64<<10)) + `"}`, []string{"gzip"}},
		"an escaped name": {"zstd", `{"model":"gpt\u002d4o"}`, []string{"zstd"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := with(g.request(http.MethodPost, "/v1/responses", squeezed(t, tt.text, tt.codings...)))
			if tt.said != "" {
				r.Header.Set("Content-Encoding", tt.said)
			}
			if resp, body := g.do(r); resp.StatusCode != http.StatusOK {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
			a := <-got
			want := strings.NewReplacer("gpt-4o", "own", `gpt\u002d4o`, "own").Replace(tt.text)
			if a.body != want || a.header.Get("Content-Encoding") != "" || a.header.Get("Content-Length") != strconv.Itoa(len(want)) {
				t.Errorf("arrived as %.100q with %v, want %.100q", a.body, a.header, want)
			}
			eventually(t, "the log", func() bool {
				return strings.Contains(g.log.String(), `"sent_model":"own","encoding":"`) && strings.Contains(g.log.String(), `"sent_encoding":"identity"`)
			})
		})
	}
	r := with(g.request(http.MethodPost, "/v1/responses", squeezed(t, `{"model":"other"}`, "gzip")), "Content-Encoding: gzip")
	g.do(r)
	if a := <-got; a.body != squeezed(t, `{"model":"other"}`, "gzip") || a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("a body of another model arrived as %q with %v", a.body, a.header)
	}
}

// A client that compresses a retry anew writes another time into gzip's header.
func TestACompressedRetryWithAKeyIsTheSameCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine)
		at := func(level int, text string) string {
			var b bytes.Buffer
			w, _ := gzip.NewWriterLevel(&b, level)
			w.Comment = strconv.Itoa(level)
			_, _ = io.WriteString(w, text)
			_ = w.Close()
			return b.String()
		}
		for i, tt := range []struct {
			body   string
			status int
		}{
			{at(1, chatBody), 200},
			{at(9, chatBody), 200},
			{at(9, strings.Replace(chatBody, "hi", "ho", 1)), 422},
			{at(9, chatBody)[:40], 422}, // not read: as it came
		} {
			resp, body := g.do(with(g.request(http.MethodPost, "/v1/files", tt.body), "Content-Encoding: gzip", "Idempotency-Key: k"))
			if resp.StatusCode != tt.status || g.calls.Load() != 1 {
				t.Errorf("%d: got %d after %d calls: %s", i, resp.StatusCode, g.calls.Load(), body)
			}
		}
	})
}

// of returns a Proxy whose generation has l and nothing else.
func of(l *loop.Loop) *Proxy {
	p := &Proxy{}
	p.generation.Store(&generation{Loop: l})
	return p
}

// lookedInto returns the exchange of a body that was read.
func lookedInto(t testing.TB, p *Proxy, body string, said, kind string) *exchange {
	t.Helper()
	x := p.newExchange(context.Background(), p.pin(), nil, &proxycall.Call{})
	x.Identity.Body = sha256.New()
	picker := pick.New(kind)
	picker.Copy(x.Identity.Body)
	_, _ = io.WriteString(picker, body)
	var err error
	if x.Kept, err = p.gen().Bodies.Read(strings.NewReader(body), int64(len(body))); err != nil {
		t.Fatal(err)
	}
	x.Facts = picker.Facts()
	r := &http.Request{Header: http.Header{"Content-Encoding": {said}, "Content-Type": {kind}}}
	x.lookInto(r)
	return x
}

// FuzzCompressedBody holds that a body says the same in each coding, has the same
// fingerprint, and is sent decoded as it was.
func FuzzCompressedBody(f *testing.F) {
	f.Add([]byte(chatBody), uint8(0), uint8(3), 0)
	f.Add([]byte(`{"model":"m","stream":true,"store":true,"background":true,"max_tokens":7,"input":"`+strings.Repeat("x", 1000)+`"}`), uint8(1), uint8(2), 0)
	f.Add([]byte(`{"model":"m"}`), uint8(4), uint8(4), 9)
	f.Add([]byte("--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--B--\r\n"), uint8(2), uint8(0), 0)
	p := of(&loop.Loop{Bodies: spool.New(spool.Config{BodyMax: 1 << 30, BodyMemory: 1 << 20, MemoryMax: 64 << 20, Dir: f.TempDir()}), Decoding: make(chan struct{}, 1)})
	names := []string{"gzip", "deflate", "br", "zstd", "raw"}
	f.Fuzz(func(t *testing.T, text []byte, one, two uint8, cut int) {
		kind := "application/json"
		if bytes.HasPrefix(text, []byte("--B")) {
			kind = "multipart/form-data; boundary=B"
		}
		plain := lookedInto(t, p, string(text), "", kind)
		codings := []string{names[int(one)%5]}
		if int(two)%6 < 5 {
			codings = append(codings, names[int(two)%6])
		}
		bodyVal := squeezed(t, string(text), codings...)
		said := strings.ReplaceAll(strings.Join(codings, ", "), "raw", "deflate")
		if cut > 0 && cut < len(bodyVal) {
			bodyVal = bodyVal[:cut]
		}
		got := lookedInto(t, p, bodyVal, said, kind)
		defer got.Kept.Close()
		defer plain.Kept.Close()
		switch {
		case got.Facts.Unread || cut > 0 && cut < len(squeezed(t, string(text), codings...)):
			if !got.Facts.Unread && got.Encoded.Size >= 0 && got.Facts.Valid && got.Facts.Facts != plain.Facts.Facts {
				t.Fatalf("a part has other facts: %+v and %+v", got.Facts, plain.Facts)
			}
			return
		case !plain.Facts.Valid:
			return
		}
		if got.Facts != plain.Facts {
			t.Fatalf("%s: %+v, plain %+v", said, got.Facts, plain.Facts)
		}
		if a, b := fmt.Sprintf("%x", got.Identity.Body.Sum(nil)), fmt.Sprintf("%x", plain.Identity.Body.Sum(nil)); a != b {
			t.Fatalf("%s: fingerprint %s, plain %s", said, a, b)
		}
		got.Size = got.Kept.Size()
		got.Facts.ModelStart, got.Facts.ModelEnd = 0, 0
		decoded, size := got.Outgoing("model") // stands before the text
		sent, err := io.ReadAll(decoded)
		_ = decoded.Close()
		if err != nil || string(sent) != "model"+string(text) || size != int64(len(sent)) || got.Encoded.Size != int64(len(text)) {
			t.Fatalf("%s: would be sent as %q, %v", said, sent, err)
		}
	})
}

// FuzzEncodedBytes holds that no body takes more than the bound, whatever it is.
func FuzzEncodedBytes(f *testing.F) {
	f.Add([]byte(squeezed(f, chatBody, "gzip")), "gzip")
	f.Add([]byte(squeezed(f, strings.Repeat(" ", 8<<20), "zstd", "gzip")), "zstd, gzip")
	f.Add([]byte(squeezed(f, `{"model":"`+strings.Repeat("x", 8<<20), "br")), "br")
	f.Add([]byte(chatBody), "identity")
	p := of(&loop.Loop{Bodies: spool.New(spool.Config{BodyMax: 1 << 30, BodyMemory: 1 << 20, MemoryMax: 64 << 20, Dir: f.TempDir()}), Decoding: make(chan struct{}, 1)})
	f.Fuzz(func(t *testing.T, b []byte, said string) {
		x := lookedInto(t, p, string(b), said, "application/json")
		defer x.Kept.Close()
		if x.Encoded.Size > body.DecodedMost(int64(len(b))) {
			t.Fatalf("%d bytes were decoded", x.Encoded.Size)
		}
		if x.Facts.Unread && (x.Facts.Model != "" || x.Encoded.Unread == "") || !x.Facts.Unread && x.Encoded.Unread != "" {
			t.Fatalf("%+v of %+v", x.Facts, x.Encoded)
		}
		if len(p.gen().Decoding) != 0 {
			t.Fatal("the turn was not given back")
		}
	})
}
