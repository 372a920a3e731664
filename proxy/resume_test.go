package proxy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/policy/classify"
	"outrigger/proxy/settings"
)

// backgroundBody asks for a background stream.
const backgroundBody = `{"model":"gpt-4o-mini","background":true,"stream":true,"input":"hi"}`

// backgroundEvents are the events of a response.
func backgroundEvents() []string {
	event := func(n int, kind, more string) string {
		return fmt.Sprintf("event: %s\ndata: {\"type\":%q,\"sequence_number\":%d%s}\n\n", kind, kind, n, more)
	}
	return []string{
		event(0, "response.created", `,"response":{"id":"resp_1","object":"response","status":"queued","background":true}`),
		event(1, "response.in_progress", `,"response":{"id":"resp_1","status":"in_progress"}`),
		event(2, "response.output_text.delta", `,"item_id":"msg_1","delta":"grün: \"data: \\n\\n"`),
		event(3, "response.output_text.delta", `,"item_id":"msg_1","delta":"event"`),
		event(4, "response.completed", `,"response":{"id":"resp_1","status":"completed","output":[{"type":"message","id":"msg_1"}],"usage":{"input_tokens":3,"output_tokens":5}}`),
	}
}

// jobs is an upstream that keeps a background response and its events. serve says how each
// connection, from 1, is answered; without it the stream is sent whole.
type jobs struct {
	events []string
	serve  func(w http.ResponseWriter, r *http.Request, conn int, rest string) bool

	mu    sync.Mutex
	asked []string
}

// sends writes part of a stream.
func sends(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

func (j *jobs) script(w http.ResponseWriter, r *http.Request, conn int) {
	_, _ = io.Copy(io.Discard, r.Body)
	j.mu.Lock()
	asked := r.Method + " " + r.URL.RequestURI()
	j.asked = append(j.asked, asked+" "+r.Header.Get("Authorization"))
	j.mu.Unlock()
	after := -1
	if n, err := strconv.Atoi(r.URL.Query().Get("starting_after")); err == nil {
		after = n
	}
	rest := strings.Join(j.events[after+1:], "")
	if j.serve != nil && j.serve(w, r, conn, rest) {
		return
	}
	sends(w, rest)
}

// backgroundStream makes a background stream, and returns what its caller got of it.
func (g *rig) backgroundStream() (*http.Response, string, error) {
	g.t.Helper()
	return g.read(g.request(http.MethodPost, "/v1/responses", backgroundBody))
}

func (g *rig) read(r *http.Request) (*http.Response, string, error) {
	g.t.Helper()
	resp, err := g.client.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// resumes is the count of resumes with a result.
func (g *rig) resumes(result string) int {
	g.t.Helper()
	_, rest, found := strings.Cut(g.metricsText(), `outrigger_stream_resumes_total{result="`+result+`",upstream="openai"} `)
	if !found {
		return 0
	}
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		g.t.Fatal(err)
	}
	return n
}

// cutAt cuts the first connection after n bytes.
func cutAt(n int, end func()) func(http.ResponseWriter, *http.Request, int, string) bool {
	return func(w http.ResponseWriter, _ *http.Request, conn int, rest string) bool {
		if conn > 1 {
			return false
		}
		sends(w, rest[:n])
		end()
		return true
	}
}

func TestABackgroundStreamThatIsCutAnywhereArrivesWholeAndOnce(t *testing.T) {
	for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
		for lines, change := range map[string]func(string) string{
			"LF":   func(s string) string { return s },
			"CRLF": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		} {
			t.Run(ending+" "+lines, func(t *testing.T) {
				j := &jobs{events: backgroundEvents()}
				for i, e := range j.events {
					j.events[i] = change(e)
				}
				whole := strings.Join(j.events, "")
				first := len(j.events[0])
				for n := first; n < len(whole); n++ {
					synctest.Test(t, func(t *testing.T) {
						j.asked, j.serve = nil, cutAt(n, end)
						g := newBubble(t, j.script)
						_, body, err := g.backgroundStream()
						if body != whole || err != nil {
							t.Fatalf("cut after %d bytes: got %q %v", n, body, err)
						}
						after, rest := -1, n
						for _, e := range j.events {
							if rest -= len(e); rest < 0 {
								break
							}
							after++
						}
						want := []string{"POST /v1/responses Bearer sk-test", fmt.Sprintf("GET /v1/responses/resp_1?stream=true&starting_after=%d Bearer sk-test", after)}
						if lacksEnd := strings.TrimRight(whole, "\r\n"); n >= len(lacksEnd) {
							want = want[:1] // all but the last blank line is there
						}
						if !slices.Equal(j.asked, want) {
							t.Fatalf("cut after %d bytes: asked for %q, want %q", n, j.asked, want)
						}
						if len(want) == 2 && (g.resumes("resumed") != 1 || !strings.Contains(g.log.String(), `"resumes":1`)) {
							t.Fatalf("cut after %d bytes: neither counted nor logged", n)
						}
					})
				}
			})
		}
	}
}

func TestAStreamThatIsCutBehindEveryEventArrivesWhole(t *testing.T) {
	for name, cut := range map[string]int{"behind each event": 0, "and in the middle of the next": 20} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &jobs{events: backgroundEvents()}
				j.serve = func(w http.ResponseWriter, _ *http.Request, _ int, rest string) bool {
					n := strings.Index(rest, "\n\n") + 2
					sends(w, rest[:min(n+cut, len(rest))])
					return true
				}
				g := newBubble(t, j.script)
				if _, body, err := g.backgroundStream(); body != strings.Join(j.events, "") || err != nil {
					t.Errorf("got %q %v", body, err)
				}
				if len(j.asked) != len(j.events) || g.resumes("resumed") != len(j.events)-1 {
					t.Errorf("asked for %q", j.asked)
				}
			})
		})
	}
}

func TestAStreamThatIsLabelledAsJSONIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{events: backgroundEvents()}
		whole := strings.Join(j.events, "")
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, conn int) {
			w.Header().Set("Content-Type", "application/json")
			j.script(labelled{w}, r, conn)
		})
		j.serve = cutAt(len(j.events[0])+len(j.events[1]), broken)
		if _, body, err := g.backgroundStream(); body != whole || err != nil || len(j.asked) != 2 {
			t.Errorf("asked for %q, got %q %v", j.asked, body, err)
		}
	})
}

// labelled keeps the Content-Type that is set already.
type labelled struct{ http.ResponseWriter }

func (l labelled) Header() http.Header { return http.Header{} }

func (l labelled) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func TestAResumedStreamIsOnlyWhatFollows(t *testing.T) {
	events := backgroundEvents()
	whole := strings.Join(events, "")
	at := len(events[0]) + len(events[1]) + len(events[2])
	for name, tt := range map[string]struct {
		rest   string
		want   string
		whole  bool
		counts string
	}{
		"the upstream begins anew":           {whole, whole, true, "resumed"},
		"and sends a comment in between":     {events[0] + events[1] + events[2] + ": ping\n\n" + events[3] + events[4], whole[:at] + ": ping\n\n" + events[3] + events[4], true, "resumed"},
		"an unnumbered event is repeated":    {events[0] + "data: {\"type\":\"keepalive\"}\n\n" + events[2] + events[3] + events[4], whole, true, "resumed"},
		"a comment comes first":              {": ping\n\n" + events[3] + events[4], whole[:at] + ": ping\n\n" + events[3] + events[4], true, "resumed"},
		"an unnumbered event between":        {events[3] + "data: {\"type\":\"keepalive\"}\n\n" + events[4], whole[:at] + events[3] + "data: {\"type\":\"keepalive\"}\n\n" + events[4], true, "resumed"},
		"[DONE] behind it":                   {events[3] + events[4] + doneEvent, whole + doneEvent, true, "resumed"},
		"an event is missing":                {events[4], whole[:at], false, "refused"},
		"nothing":                            {"", whole[:at], false, "cut"},
		"an error instead":                   {"event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"Response expired\"}}\n\n", whole[:at], false, "refused"},
		"half of an event, and no more ever": {events[3][:30], whole[:at] + events[3][:30], false, "cut"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &jobs{events: events}
				j.serve = func(w http.ResponseWriter, _ *http.Request, conn int, _ string) bool {
					if conn == 1 {
						sends(w, whole[:at])
						return true
					}
					sends(w, tt.rest)
					return true
				}
				g := newBubble(t, j.script)
				_, body, err := g.backgroundStream()
				if got, ok := strings.CutPrefix(body, tt.want); !ok || tt.whole && (got != "" || err != nil) {
					t.Errorf("got %q %v", body, err)
				}
				if !tt.whole && (err == nil || !strings.Contains(body, "stream_interrupted") || len(j.asked) != 3) {
					t.Errorf("asked for %q, got %q %v", j.asked, body, err)
				}
				if g.resumes(tt.counts) == 0 {
					t.Errorf("no %s was counted", tt.counts)
				}
			})
		})
	}
}

func TestTheUpstreamsRefusalToResumeIsTold(t *testing.T) {
	const most = 2 // stream.maxResumes
	for name, tt := range map[string]struct {
		serve  func(w http.ResponseWriter)
		says   []string
		counts string
	}{
		"not found": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"error":{"message":"Response with id 'resp_1' not found.","type":"invalid_request_error","param":"id","code":null}}`)
		}, []string{"would not resume it after event 2: it answered 404 (Response with id 'resp_1' not found.)"}, "refused"},
		"expired": {func(w http.ResponseWriter) {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, "reconnect window is over, sk-abcdefghijklmnopqrstuvwxyz")
		}, []string{"it answered 400"}, "refused"},
		"the whole response": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id":"resp_1","status":"completed"}`)
		}, []string{"it answered 200 without a stream"}, "refused"},
		"busy": {func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(503)
		}, []string{"it answered 503"}, "refused"},
		"no answer": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, []string{"could not be resumed: there was no answer ("}, "unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &jobs{events: backgroundEvents()}
				at := len(j.events[0] + j.events[1] + j.events[2])
				cut := cutAt(at+10, broken)
				j.serve = func(w http.ResponseWriter, r *http.Request, conn int, rest string) bool {
					if conn > 1 {
						tt.serve(w)
						return true
					}
					return cut(w, r, conn, rest)
				}
				g := newBubble(t, j.script)
				_, body, err := g.backgroundStream()
				whole := strings.Join(j.events, "")
				told, ok := strings.CutPrefix(body, whole[:at+10])
				if !ok || err == nil || !strings.Contains(told, "stream_interrupted") || !strings.Contains(told, "before sending the request again") {
					t.Errorf("got %q %v", body, err)
				}
				for _, say := range append(tt.says, "The stream was cut: ") {
					if !strings.Contains(told, say) {
						t.Errorf("%q is not in %q", say, told)
					}
				}
				if len(j.asked) != 1+most || g.resumes(tt.counts) != most || !strings.Contains(g.log.String(), `"msg":"stream resume"`) {
					t.Errorf("asked for %q, %s: %d", j.asked, tt.counts, g.resumes(tt.counts))
				}
				if strings.Contains(body+g.log.String(), "sk-abcdef") {
					t.Error("a key was told")
				}
			})
		})
	}
}

func TestOnlyABackgroundStreamWithNumbersIsResumed(t *testing.T) {
	numbered := strings.Join(backgroundEvents()[:3], "")
	zeros := strings.NewReplacer(`"sequence_number":1`, `"sequence_number":0`, `"sequence_number":2`, `"sequence_number":0`).Replace(numbered)
	for name, tt := range map[string]struct {
		body, sent string
		path       string
		edit       func(*settings.Config)
		header     http.Header
	}{
		"not in the background":   {body: `{"model":"m","stream":true,"input":"hi"}`, sent: numbered},
		"background: false":       {body: `{"model":"m","stream":true,"background":false,"input":"hi"}`, sent: numbered},
		"switched off":            {body: backgroundBody, sent: numbered, edit: func(c *settings.Config) { c.Resume = false }},
		"a chat":                  {body: backgroundBody, sent: delta("a"), path: "/v1/chat/completions"},
		"no numbers":              {body: backgroundBody, sent: strings.ReplaceAll(numbered, `"sequence_number"`, `"number"`)},
		"the same number always":  {body: backgroundBody, sent: zeros},
		"no id":                   {body: backgroundBody, sent: strings.ReplaceAll(numbered, `"id"`, `"name"`)},
		"an id that is no id":     {body: backgroundBody, sent: strings.ReplaceAll(numbered, `resp_1`, `../files`)},
		"labelled as compressed":  {body: backgroundBody, sent: numbered, header: http.Header{"Content-Encoding": {"gzip"}}},
		"its lines end in CR":     {body: backgroundBody, sent: strings.ReplaceAll(numbered, "\n", "\r")},
		"it failed, and was told": {body: backgroundBody, sent: numbered + "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":3,\"response\":{\"id\":\"resp_1\",\"status\":\"failed\"}}\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					_, _ = io.Copy(io.Discard, r.Body)
					for name, values := range tt.header {
						w.Header()[name] = values
					}
					sends(w, tt.sent)
				}, func(c *settings.Config) {
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				path := tt.path
				if path == "" {
					path = "/v1/responses"
				}
				_, body, err := g.read(g.request(http.MethodPost, path, tt.body))
				if !strings.HasPrefix(body, tt.sent) || g.calls.Load() != 1 {
					t.Errorf("%d calls, got %q %v", g.calls.Load(), body, err)
				}
				ends := strings.Contains(tt.sent, "failed")
				if told := strings.Contains(body, "send the request again"); told == ends || (err == nil) != ends {
					t.Errorf("got %q %v", body, err)
				}
			})
		})
	}
}

func TestAnAnswerThatIsNoStreamPassesAsItIs(t *testing.T) {
	for name, text := range map[string]string{"JSON": `{"id":"resp_1","background":true,"status":"queued"}`, "with lines": "{\n\n\"id\":\n\n\"resp_1\"}"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, text)
				})
				if _, body, err := g.backgroundStream(); body != text || err != nil || g.calls.Load() != 1 {
					t.Errorf("got %q %v", body, err)
				}
			})
		})
	}
}

func TestASilentBackgroundStreamIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{events: backgroundEvents()}
		j.serve = func(w http.ResponseWriter, r *http.Request, conn int, rest string) bool {
			if conn > 1 {
				return false
			}
			sends(w, rest[:len(j.events[0]+j.events[1]+j.events[2])])
			<-r.Context().Done()
			return true
		}
		g := newBubble(t, j.script, func(c *settings.Config) { c.Timeouts.StreamIdle = 10 * time.Second })
		start := time.Now()
		_, body, err := g.backgroundStream()
		if body != strings.Join(j.events, "") || err != nil || time.Since(start) != 10*time.Second {
			t.Errorf("after %s: %q %v", time.Since(start), body, err)
		}
	})
}

func TestAStreamThatStaysSilentIsToldAfterTwiceTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{events: backgroundEvents()}
		j.serve = func(w http.ResponseWriter, r *http.Request, _ int, rest string) bool {
			if r.Method == http.MethodPost {
				sends(w, rest[:len(j.events[0]+j.events[1]+j.events[2])])
			} else {
				sends(w, ": here\n\n")
			}
			<-r.Context().Done()
			return true
		}
		g := newBubble(t, j.script, func(c *settings.Config) { c.Timeouts.StreamIdle = 10 * time.Second })
		start := time.Now()
		_, body, err := g.backgroundStream()
		if err == nil || !strings.Contains(body, "sent nothing for 10s") || time.Since(start) > time.Minute {
			t.Errorf("after %s: %q %v", time.Since(start), body, err)
		}
	})
}

func TestAHeartbeatKeepsAResumedStreamOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{events: backgroundEvents()}
		j.serve = func(w http.ResponseWriter, _ *http.Request, conn int, rest string) bool {
			if conn == 1 {
				sends(w, rest[:len(j.events[0]+j.events[1]+j.events[2])])
				return true
			}
			for range 20 {
				time.Sleep(9 * time.Second)
				sends(w, ": here\n\n")
			}
			sends(w, rest)
			return true
		}
		g := newBubble(t, j.script, func(c *settings.Config) { c.Timeouts.StreamIdle = 10 * time.Second })
		_, body, err := g.backgroundStream()
		if strings.ReplaceAll(body, ": here\n\n", "") != strings.Join(j.events, "") || err != nil {
			t.Errorf("got %q %v", body, err)
		}
	})
}

func TestAStreamIsNotResumedAfterFiveMinutes(t *testing.T) {
	const window = 5 * time.Minute // stream.resumeWindow
	for name, tt := range map[string]struct {
		after time.Duration
		whole bool
	}{"before": {window - time.Second, true}, "after": {window + time.Second, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &jobs{events: backgroundEvents()}
				j.serve = func(w http.ResponseWriter, _ *http.Request, conn int, rest string) bool {
					if conn > 1 {
						return false
					}
					n := len(j.events[0] + j.events[1])
					sends(w, rest[:n])
					for range 10 {
						time.Sleep(tt.after / 10)
						sends(w, ": here\n\n")
					}
					return true
				}
				g := newBubble(t, j.script)
				_, body, err := g.backgroundStream()
				if (err == nil) != tt.whole || (len(j.asked) == 2) != tt.whole || g.resumes("too_late") == 0 != tt.whole {
					t.Errorf("asked for %q, got %q %v", j.asked, body, err)
				}
			})
		})
	}
}

func TestTheCallersLeavingEndsAResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan bool, 1)
		j := &jobs{events: backgroundEvents()}
		sent := len(j.events[0] + j.events[1] + j.events[2])
		j.serve = func(w http.ResponseWriter, r *http.Request, conn int, rest string) bool {
			if conn == 1 {
				sends(w, rest[:sent])
				return true
			}
			<-r.Context().Done()
			left <- true
			return true
		}
		g := newBubble(t, j.script)
		resp, err := g.client.Do(g.request(http.MethodPost, "/v1/responses", backgroundBody))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, sent)); err != nil {
			t.Fatal(err) // while they are not read, the wire takes no more
		}
		synctest.Wait()
		_ = resp.Body.Close()
		synctest.Wait()
		select {
		case <-left:
		default:
			t.Error("the upstream is still asked")
		}
		if g.inflight() != 0 || len(j.asked) != 2 {
			t.Errorf("%d in flight, asked for %q", g.inflight(), j.asked)
		}
	})
}

func TestACallersOwnStreamOfAResponseIsResumed(t *testing.T) {
	for query, want := range map[string]string{
		"?stream=true": "?stream=true&starting_after=2",
		"?include[]=a&stream=true&starting_after=0&x=;": "?include[]=a&x=;&stream=true&starting_after=2",
	} {
		t.Run(query, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &jobs{events: backgroundEvents()}
				until := len(j.events[0] + j.events[1] + j.events[2])
				j.serve = func(w http.ResponseWriter, _ *http.Request, conn int, rest string) bool {
					if conn > 1 {
						return false
					}
					cut := until - (len(strings.Join(j.events, "")) - len(rest))
					sends(w, rest[:cut+7])
					return true
				}
				g := newBubble(t, j.script)
				_, body, err := g.read(g.request(http.MethodGet, "/v1/responses/resp_1"+query, ""))
				whole := strings.Join(j.events, "")
				if !strings.HasSuffix(whole, body) || !strings.Contains(body, j.events[1]) || err != nil {
					t.Errorf("got %q %v", body, err)
				}
				if len(j.asked) != 2 || !strings.HasPrefix(j.asked[1], "GET /v1/responses/resp_1"+want+" ") {
					t.Errorf("asked for %q", j.asked)
				}
			})
		})
	}
}

func TestAResumeKeepsTheUpstreamsOwnQueryAndKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{events: backgroundEvents()}
		j.serve = cutAt(len(j.events[0])+3, clean)
		g := newBubble(t, j.script, func(c *settings.Config) {
			c.Upstreams[0].Query = []settings.Pair{{Name: "api-version", Value: "2025"}}
			c.Upstreams[0].URL = movedTo(c.Upstreams[0].URL, c.Upstreams[0].URL.Host, "/tenant/v1")
		})
		if _, body, err := g.backgroundStream(); body != strings.Join(j.events, "") || err != nil {
			t.Errorf("got %q %v", body, err)
		}
		if want := "GET /tenant/v1/responses/resp_1?api-version=2025&stream=true&starting_after=0 Bearer sk-test"; j.asked[1] != want {
			t.Errorf("asked for %q", j.asked[1])
		}
	})
}

func TestAResumeWaitsForTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{events: backgroundEvents()}
		j.serve = func(w http.ResponseWriter, _ *http.Request, _ int, rest string) bool {
			sends(w, rest[:strings.Index(rest, "\n\n")+2])
			return true
		}
		g := newBubble(t, j.script, func(c *settings.Config) { c.Limit.RPM = 60 })
		start := time.Now()
		if _, body, err := g.backgroundStream(); body != strings.Join(j.events, "") || err != nil {
			t.Errorf("got %q %v", body, err)
		}
		if took := time.Since(start); took < 2*time.Second {
			t.Errorf("four resumes at one a second took %s", took)
		}
	})
}

func TestARecordedStreamHasWhatTheCallerGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{events: backgroundEvents()}
		j.serve = cutAt(len(j.events[0]+j.events[1]+j.events[2])+9, broken)
		g := newBubble(t, j.script)
		whole := strings.Join(j.events, "")
		for i := range 2 {
			r := g.request(http.MethodPost, "/v1/responses", backgroundBody)
			r.Header.Set("Idempotency-Key", "k")
			if _, body, err := g.read(r); body != whole || err != nil || len(j.asked) != 2 {
				t.Errorf("call %d: %d asked, got %q %v", i, len(j.asked), body, err)
			}
		}
	})
}

func TestAResumeAsksForTheSameEvents(t *testing.T) {
	for body, want := range map[string]string{
		`{"background":true,"stream":true,"include":["reasoning.encrypted_content","a b"],"stream_options":{"include_obfuscation":false}}`: "include%5B%5D=reasoning.encrypted_content&include%5B%5D=a+b&include_obfuscation=false&",
		`{"background":true,"stream":true,"include":null}`:    "",
		`{"background":true,"stream":true,"include":"a"}`:     "",
		`{"background":true,"stream":true,"include":["a"]} x`: "include%5B%5D=a&",
	} {
		t.Run(body, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &jobs{events: backgroundEvents()}
				j.serve = cutAt(len(j.events[0])+3, clean)
				g := newBubble(t, j.script)
				_, got, err := g.read(g.request(http.MethodPost, "/v1/responses", body))
				if got != strings.Join(j.events, "") || err != nil || len(j.asked) != 2 || !strings.HasPrefix(j.asked[1], "GET /v1/responses/resp_1?"+want+"stream=true") {
					t.Errorf("asked for %q, got %q %v", j.asked, got, err)
				}
			})
		})
	}
}

func TestALongEventIsPassedOnWhole(t *testing.T) {
	const most = 16 << 20 // stream.maxWholeEvent
	for name, tt := range map[string]struct {
		size  int
		whole bool
	}{"of a picture": {3 << 20, true}, "longer than is held": {most + 1<<20, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &jobs{events: backgroundEvents()}
				j.events[3] = strings.Replace(j.events[3], `"delta":"event"`, `"delta":"`+strings.Repeat("x", tt.size)+`"`, 1)
				cut := len(j.events[0]+j.events[1]+j.events[2]) + tt.size
				j.serve = cutAt(cut, broken)
				g := newBubble(t, j.script)
				_, body, err := g.backgroundStream()
				whole := strings.Join(j.events, "")
				if tt.whole && (body != whole || err != nil) || !tt.whole && (err == nil || !strings.HasPrefix(body, whole[:cut]) || len(j.asked) != 1) {
					t.Errorf("%d of %d bytes, %v", len(body), len(whole), err)
				}
				if memory, _ := g.held(); memory != 0 {
					t.Errorf("%d bytes are still held", memory)
				}
			})
		})
	}
}

func TestAStreamIsResumedAtTheUpstreamThatMakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := func(w http.ResponseWriter, r *http.Request, _ int) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		j := &jobs{events: backgroundEvents()}
		j.serve = cutAt(len(j.events[0]+j.events[1]+j.events[2])+5, broken)
		s := newSeveral(t, func(c *settings.Config) {
			c.Retry.Max = 1
			c.Upstreams[1].APIKey = values.NewSecret("sk-second")
		}, first, j.script)
		resp, body, err := s.backgroundStream()
		if body != strings.Join(j.events, "") || err != nil || resp.Header.Get("x-outrigger-upstream") != "second" {
			t.Errorf("got %q %v", body, err)
		}
		if want := "GET /v1/responses/resp_1?stream=true&starting_after=2 Bearer sk-second"; len(j.asked) != 2 || j.asked[1] != want {
			t.Errorf("asked for %q", j.asked)
		}
	})
}

func TestAnOpenBreakerHoldsAResumeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g *rig
		j := &jobs{events: backgroundEvents()}
		j.serve = func(w http.ResponseWriter, r *http.Request, conn int, rest string) bool {
			if conn > 1 {
				return false
			}
			sends(w, rest[:len(j.events[0]+j.events[1]+j.events[2])])
			time.Sleep(time.Second) // the beginning of the stream counts as a success
			for up := g.proxy.gen().Upstreams[0]; !up.Gate.Shut(); {
				if p, err := up.Gate.Allow(); err == nil {
					p.Report(classify.Fault)
				}
			}
			return true
		}
		g = newBubble(t, j.script)
		start := time.Now()
		_, body, err := g.backgroundStream()
		if body != strings.Join(j.events, "") || err != nil || time.Since(start) < time.Second+g.proxy.gen().Config.Breaker.Open/2 {
			t.Errorf("after %s: %q %v", time.Since(start), body, err)
		}
	})
}
