package proxy

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"outrigger/proxy/attempt"
)

// packer is an encoder that can give what it has.
type packer interface {
	io.WriteCloser
	Flush() error
}

func newPacker(t testing.TB, coding string, w io.Writer) packer {
	t.Helper()
	var p packer
	var err error
	switch coding {
	case "gzip":
		p = gzip.NewWriter(w)
	case "zlib":
		p = zlib.NewWriter(w)
	case "raw":
		p, err = flate.NewWriter(w, flate.BestSpeed)
	case "br":
		p = brotli.NewWriter(w)
	default:
		p, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// packed returns the texts encoded, each flushed, in pieces: the last one is the end.
func packed(t testing.TB, coding string, texts ...string) []string {
	t.Helper()
	var pieces []string
	var b bytes.Buffer
	p := newPacker(t, coding, &b)
	take := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, b.String())
		b.Reset()
	}
	for _, text := range texts {
		_, _ = io.WriteString(p, text)
		take(p.Flush())
	}
	take(p.Close())
	return pieces
}

// codings are the ways to encode an answer, and the labels it may have then.
var codings = map[string]struct{ coding, label string }{
	"gzip":                  {"gzip", "gzip"},
	"gzip, no label":        {"gzip", ""},
	"gzip, another's label": {"gzip", "br"},
	"gzip, unknown label":   {"gzip", "utf-8"},
	"deflate":               {"zlib", "deflate"},
	"deflate, no label":     {"zlib", ""},
	"raw deflate":           {"raw", "deflate"},
	"br":                    {"br", "br"},
	"zstd":                  {"zstd", "zstd"},
	"zstd, no label":        {"zstd", ""},
}

// inPieces is a script that sends pieces, each step after the one before.
func inPieces(kind, label string, step time.Duration, pieces []string, end func()) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		if label != "" {
			w.Header().Set("Content-Encoding", label)
		}
		for i, piece := range pieces {
			if i > 0 && i < len(pieces)-1 {
				time.Sleep(step) // the bubble's time
			}
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
		end()
	}
}

func TestAnEncodedStreamPassesByteForByteAndAtOnce(t *testing.T) {
	texts := []string{delta("a"), delta("b"), ": ping\n\n", delta("c"), doneEvent}
	for name, tt := range codings {
		for _, kind := range []string{"text/event-stream", "text/plain"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					pieces := packed(t, tt.coding, texts...)
					g := newBubble(t, inPieces(kind, tt.label, time.Minute, pieces, clean))
					start := time.Now()
					resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", streamBody))
					if err != nil {
						t.Fatal(err)
					}
					defer resp.Body.Close()
					for i, piece := range pieces {
						got := make([]byte, len(piece))
						_, err := io.ReadFull(resp.Body, got)
						want := time.Duration(min(i, len(texts)-1)) * time.Minute
						if took := time.Since(start); string(got) != piece || err != nil || took != want {
							t.Errorf("piece %d is %v, %v, after %s and not %s", i+1, string(got) == piece, err, took, want)
						}
					}
					if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil || resp.Header.Get("Content-Encoding") != tt.label {
						t.Errorf("then %q %v, labelled %q", rest, err, resp.Header.Get("Content-Encoding"))
					}
					if log := g.log.String(); !strings.Contains(log, `"outcome":"completed"`) {
						t.Error(log)
					}
				})
			})
		}
	}
}

func TestAnEncodedStreamThatIsCutHasNoCleanEnd(t *testing.T) {
	ended := "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	for name, tt := range codings {
		t.Run(name, func(t *testing.T) {
			cuts := map[string][]string{
				"without the encoding's end":            packed(t, tt.coding, delta("a"), delta("b"), delta("c"))[:3],
				"in the middle of what is said":         packed(t, tt.coding, delta("a"), delta("b")),
				"and both":                              packed(t, tt.coding, delta("a"))[:1],
				"said all, but no end of the coding":    packed(t, tt.coding, delta("a"), ended)[:2],
				"with an error and a proper ending":     packed(t, tt.coding, delta("a"), "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n"),
				"with an end that lacks its blank line": packed(t, tt.coding, delta("a"), strings.TrimRight(ended, "\n")),
				"with half an event, properly closed":   packed(t, tt.coding, delta("a"), "data: {\"choi"),
			}
			for cut, pieces := range cuts {
				for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
					t.Run(cut+"/"+ending, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							g := newBubble(t, inPieces("text/event-stream", tt.label, time.Second, pieces, end))
							resp, body, err := g.stream(g.client, "/v1/chat/completions")
							if resp.StatusCode != 200 || body != strings.Join(pieces, "") || err == nil || g.calls.Load() != 1 {
								t.Errorf("got %d, %v, %v after %d calls", resp.StatusCode, body == strings.Join(pieces, ""), err, g.calls.Load())
							}
							if log := g.log.String(); !strings.Contains(log, "no error event can be added") || strings.Contains(log, `"outcome":"completed"`) {
								t.Error(log)
							}
							if n := g.inflight(); n > 0 {
								t.Errorf("%d calls are left", n)
							}
						})
					})
				}
			}
		})
	}
}

func TestAnErrorThatBeginsAnEncodedStreamIsSeen(t *testing.T) {
	quota := `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`
	failure := "data: {\"error\":{\"message\":\"The server had an error\",\"type\":\"server_error\"}}\n\n"
	for name, tt := range codings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := packed(t, tt.coding, delta("a"), doneEvent)
				for what, first := range map[string][]string{
					"an error": packed(t, tt.coding, ": ping\n\n", failure), "without the end": packed(t, tt.coding, failure)[:1],
					"nothing": packed(t, tt.coding, ""), "the beginning": {packed(t, tt.coding, delta("a"))[0][:8]},
				} {
					g := newBubble(t, atFirst(inPieces("text/event-stream", tt.label, 0, first, clean), inPieces("text/event-stream", tt.label, 0, whole, clean)))
					if resp, body, err := g.stream(g.client, "/v1/chat/completions"); resp.StatusCode != 200 || body != strings.Join(whole, "") || err != nil || g.calls.Load() != 2 {
						t.Errorf("%s: got %d %q %v after %d calls", what, resp.StatusCode, body, err, g.calls.Load())
					}
				}
				g := newBubble(t, inPieces("text/event-stream", tt.label, 0, packed(t, tt.coding, "data: "+quota+"\n\n"), clean))
				resp, body, err := g.stream(g.client, "/v1/chat/completions")
				if resp.StatusCode != 429 || body != quota || err != nil || g.calls.Load() != 1 || resp.Header.Get("Content-Encoding") != "" || resp.Header.Get("Content-Type") != "application/json" {
					t.Errorf("got %d %q %v after %d calls", resp.StatusCode, body, err, g.calls.Load())
				}
			})
		})
	}
}

func TestAnEncodedAnswerThatIsCutIsNoAnswer(t *testing.T) {
	const answer = `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`
	for name, tt := range codings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := strings.Join(packed(t, tt.coding, answer), "")
				cut := packed(t, tt.coding, answer)[0] // all of the answer, and not the encoding's end
				g := newBubble(t, atFirst(as("application/json", tt.label, cut, clean), as("application/json", tt.label, whole, clean)))
				if resp, body := g.chat(); resp.StatusCode != 200 || body != whole || g.calls.Load() != 2 {
					t.Errorf("got %d %q after %d calls", resp.StatusCode, body, g.calls.Load())
				}
				g = newBubble(t, as("application/json", tt.label, packed(t, tt.coding, answer[:50])[0], clean))
				if resp, body := g.chat(); resp.StatusCode != 502 || errorCode(t, body) != "upstream_broke" {
					t.Errorf("got %d %q", resp.StatusCode, body)
				}
				g = newBubble(t, as("application/json", tt.label, strings.Join(packed(t, tt.coding, answer[:50]), ""), clean))
				if resp, body := g.chat(); resp.StatusCode != 502 || errorCode(t, body) != "upstream_broke" {
					t.Errorf("half an answer, well encoded: got %d %q", resp.StatusCode, body)
				}
			})
		})
	}
}

// An error in a shape that clients do not know would be followed by a [DONE] that they do.
func TestAnErrorThatClientsDoNotSeeEndsAnEncodedStream(t *testing.T) {
	for name, tt := range codings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pieces := packed(t, tt.coding, delta("a"), delta("b"), "data: {\"object\":\"error\",\"message\":\"x\",\"code\":500}\n\n"+doneEvent)
				g := newBubble(t, inPieces("text/event-stream", tt.label, time.Second, pieces, clean))
				_, body, err := g.stream(g.client, "/v1/chat/completions")
				if body != pieces[0]+pieces[1] || err == nil || !strings.Contains(g.log.String(), `"outcome":"failed"`) {
					t.Errorf("got %d bytes of %d and %v", len(body), len(pieces[0]+pieces[1]), err)
				}
			})
		})
	}
}

// What is passed on as it comes is looked at for the encoding's end alone, if it is labelled so.
func TestAnEncodedDownloadThatIsCutHasNoCleanEnd(t *testing.T) {
	text := strings.Repeat("so it goes, and goes, and goes; ", 1000)
	for name, tt := range codings {
		labelled := tt.label == "gzip" && tt.coding == "gzip" || tt.label == "deflate" || tt.label == "br" && tt.coding == "br" || tt.label == "zstd"
		if !labelled {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pieces := packed(t, tt.coding, text[:100], text[100:])
				g := newBubble(t, inPieces("text/plain", tt.label, time.Second, pieces, clean))
				if resp, body := g.do(g.request(http.MethodGet, "/v1/files/f/content", "")); resp.StatusCode != 200 || body != strings.Join(pieces, "") {
					t.Errorf("whole: got %d and %d bytes", resp.StatusCode, len(body))
				}
				g = newBubble(t, inPieces("text/plain", tt.label, time.Second, pieces[:2], clean))
				resp, err := g.client.Do(g.request(http.MethodGet, "/v1/files/f/content", ""))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if body, err := io.ReadAll(resp.Body); string(body) != pieces[0]+pieces[1] || err == nil {
					t.Errorf("cut: got %d bytes and %v", len(body), err)
				}
			})
		})
	}
}

// A copy that cannot be decoded, or is not worth it, harms nothing: all passes, and ends as
// its upstream ends it.
func TestWhatCannotBeDecodedPasses(t *testing.T) {
	events := packed(t, "gzip", delta("a"), delta("b"), delta("c"), doneEvent)
	flipped := strings.Join(events, "")
	flipped = flipped[:len(events[0])+12] + "\xff\xff\xff\xff" + flipped[len(events[0])+16:]
	bomb := strings.Join(packed(t, "gzip", delta("a"), strings.Repeat(" ", 32<<20)), "")
	for name, tt := range map[string]struct{ label, sent string }{
		"a broken byte":       {"gzip", flipped},
		"a wrong sum":         {"gzip", strings.Join(events[:4], "") + events[4][:len(events[4])-8] + "12345678"},
		"a bomb":              {"gzip", bomb},
		"a bomb, no label":    {"", bomb},
		"a coding of its own": {"dcb", "\xff\x44\x43\x42\x00\x01\x02"},
		"binary":              {"gzip", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00\x01\x02\x03\x04\x05\x06"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, as("text/event-stream", tt.label, tt.sent, clean))
				if resp, body, err := g.stream(g.client, "/v1/chat/completions"); resp.StatusCode != 200 || body != tt.sent || err != nil || g.calls.Load() != 1 {
					t.Errorf("got %d, %v, %v after %d calls", resp.StatusCode, body == tt.sent, err, g.calls.Load())
				}
				if n := g.inflight(); n > 0 {
					t.Errorf("%d calls are left", n)
				}
			})
		})
	}
}

// Clients take several gzip members for one, and what follows the last one for nothing.
func TestWhatFollowsAnEncodingsEndPasses(t *testing.T) {
	one, two := strings.Join(packed(t, "gzip", delta("a")), ""), strings.Join(packed(t, "gzip", doneEvent), "")
	for name, tt := range map[string]struct {
		pieces []string
		whole  bool
	}{
		"members":              {[]string{one, two, ""}, true},
		"a line end":           {[]string{one, two, "\n"}, true},
		"zeros":                {[]string{one, two, "\x00\x00\x00"}, true},
		"one of the two":       {[]string{one, ""}, false},
		"and half the other":   {[]string{one, two[:len(two)-9], ""}, false},
		"a late empty member":  {[]string{one, two, strings.Join(packed(t, "gzip", ""), ""), ""}, true},
		"kept open for a time": {[]string{one, two, ": ", ""}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := strings.Join(tt.pieces, "")
				g := newBubble(t, inPieces("text/event-stream", "gzip", 10*time.Millisecond, tt.pieces, clean))
				_, body, err := g.stream(g.client, "/v1/chat/completions")
				if body != sent || (err == nil) != tt.whole {
					t.Errorf("got %v, %v", body == sent, err)
				}
			})
		})
	}
}

// The upstream says [DONE], ends the encoding, and then neither more nor goodbye.
func TestAnEncodedStreamEndsWithItsEncoding(t *testing.T) {
	for coding, most := range map[string]time.Duration{"gzip": attempt.EndTime, "zlib": attempt.EndTime, "br": doneTime, "zstd": doneTime} {
		t.Run(coding, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pieces := packed(t, coding, delta("a"), doneEvent)
				label := strings.Replace(coding, "zlib", "deflate", 1)
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
					inPieces("text/event-stream", label, 0, pieces, func() { <-r.Context().Done() })(w, r, call)
				})
				start := time.Now()
				_, body, err := g.stream(g.client, "/v1/chat/completions")
				if took := time.Since(start); body != strings.Join(pieces, "") || err != nil || took > most {
					t.Errorf("got %v %v after %s", body == strings.Join(pieces, ""), err, took)
				}
			})
		})
	}
}
