package sim

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
)

// faulty starts a simulator with one fault rule and returns it with its URL.
func faulty(t *testing.T, rule fault.Rule) (*Sim, string) {
	t.Helper()
	s := New(Config{Faults: []fault.Rule{rule}})
	return s, server(t, s)
}

// last returns the only entry of the ledger, once it is complete.
func last(t *testing.T, s *Sim) ledger.Entry {
	t.Helper()
	s.Close() // waits for the handlers
	all := s.Ledger().Entries(ledger.Filter{})
	if len(all) != 1 {
		t.Fatalf("%d entries, want 1", len(all))
	}
	return all[0]
}

func TestFaultsInsteadOfAnAnswer(t *testing.T) {
	chat := rawRequest("/v1/chat/completions", chatBody)
	tests := map[string]struct {
		rule    fault.Rule
		request string
		reset   bool   // the connection ends with RST
		begins  string // what is sent begins like this; "" = nothing is sent
		work    bool
	}{
		"reset before the work":       {fault.Rule{Kind: fault.KindReset}, chat, true, "", false},
		"reset after the work":        {fault.Rule{Kind: fault.KindReset, After: true}, chat, true, "", true},
		"close before the work":       {fault.Rule{Kind: fault.KindClose}, chat, false, "", false},
		"close after the work":        {fault.Rule{Kind: fault.KindClose, After: true}, chat, false, "", true},
		"hang for a time":             {fault.Rule{Kind: fault.KindHang, For: time.Millisecond}, chat, false, "", false},
		"hang after the work":         {fault.Rule{Kind: fault.KindHang, For: time.Millisecond, After: true}, chat, false, "", true},
		"garbage":                     {fault.Rule{Kind: fault.KindGarbage}, chat, false, "\x16\x03\x01", false},
		"garbage of one's own":        {fault.Rule{Kind: fault.KindGarbage, Body: "220 smtp\r\n"}, chat, false, "220 smtp", false},
		"garbage after the work":      {fault.Rule{Kind: fault.KindGarbage, After: true}, chat, false, "\x16\x03\x01", true},
		"endless header, bounded":     {fault.Rule{Kind: fault.KindEndlessHeader, Bytes: 100_000}, chat, false, "HTTP/1.1 200 OK\r\nContent-Type", false},
		"reset, the body half unread": {fault.Rule{Kind: fault.KindReset, Unread: true}, chat[:len(chat)-10], true, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, url := faulty(t, test.rule)
			got, err := exchange(t, url, test.request)
			if errors.Is(err, syscall.ECONNRESET) != test.reset {
				t.Errorf("the connection ended with %v, want a reset: %v", err, test.reset)
			}
			if !strings.HasPrefix(got, test.begins) || (test.begins == "") != (got == "") {
				t.Errorf("got %.60q…, want %q…", got, test.begins)
			}
			e := last(t, s)
			if e.Work != test.work || e.Fault != test.rule.Name() || e.Status != 0 || !e.Done {
				t.Errorf("ledger: %+v, want work %v", e, test.work)
			}
		})
	}
}

func TestAnUnreadFaultStrikesBeforeTheBodyIsSent(t *testing.T) {
	_, url := faulty(t, fault.Rule{Kind: fault.KindStatus, Status: 503, Unread: true})
	conn := dial(t, url)
	head, _, _ := strings.Cut(rawRequest("/v1/files", strings.Repeat("x", 1<<20)), "x")
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 503 {
		t.Fatalf("%v, %v", resp, err)
	}
	_ = resp.Body.Close()
}

func TestAnEndlessHeaderEndsWithTheClient(t *testing.T) {
	s, url := faulty(t, fault.Rule{Kind: fault.KindEndlessHeader})
	conn := dial(t, url)
	if _, err := io.WriteString(conn, rawRequest("/v1/chat/completions", chatBody)); err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, conn, 3<<20); err != nil {
		t.Fatalf("%d bytes, then %v", n, err)
	}
	_ = conn.Close()
	s.Close() // would wait for ever
}

func TestAnEndlessBodyGoesOnOrEnds(t *testing.T) {
	s, url := faulty(t, fault.Rule{Kind: fault.KindEndlessBody, Status: 503})
	c := client(t, &http.Transport{})
	r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/v1/chat/completions", strings.NewReader(chatBody))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-test")
	resp, err := c.Do(r)
	if err != nil || resp.StatusCode != 503 {
		t.Fatalf("%v, %v", resp, err)
	}
	if n, err := io.CopyN(io.Discard, resp.Body, 2<<20); err != nil {
		t.Errorf("%d bytes, then %v", n, err)
	}
	_ = resp.Body.Close()
	if err := s.SetFaults(fault.Rule{Kind: fault.KindEndlessBody, Bytes: 10_000}); err != nil {
		t.Fatal(err)
	}
	got, err := post(t, c, url+"/v1/chat/completions", chatBody)
	if err != nil || got.status != 500 || !strings.HasSuffix(got.body, `"code":null}}`) || len(got.body) < 10_000 {
		t.Errorf("%d, %d bytes, %v", got.status, len(got.body), err)
	}
}

func TestALengthThatPromisesTooMuchIsCutShort(t *testing.T) {
	s, url := faulty(t, fault.Rule{Kind: fault.KindLongLength, Bytes: 50})
	got, err := post(t, client(t, &http.Transport{}), url+"/v1/chat/completions", chatBody)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(got.body, `{"id":"chatcmpl-`) || !strings.HasSuffix(got.body, "}}}") {
		t.Errorf("%q, %v", got.body, err)
	}
	if want := strconv.Itoa(len(got.body) + 50); got.header.Get("Content-Length") != want {
		t.Errorf("Content-Length %s, want %s", got.header.Get("Content-Length"), want)
	}
	if e := last(t, s); !e.Work || e.Status != 200 {
		t.Errorf("ledger: %+v", e)
	}
}

func TestALengthThatPromisesTooLittleLeavesBytesBehind(t *testing.T) {
	s, url := faulty(t, fault.Rule{Kind: fault.KindShortLength})
	conn := dial(t, url)
	if _, err := io.WriteString(conn, rawRequest("/v1/chat/completions", chatBody)); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || strings.HasSuffix(string(body), "}}}") {
		t.Errorf("%q, %v", body, err)
	}
	rest := make([]byte, 10)
	if _, err := io.ReadFull(from, rest); err != nil || !strings.HasSuffix(string(rest), "}}}") {
		t.Errorf("left behind: %q, %v", rest, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := from.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection should stay open, got %v", err)
	}
	s.Close()
}

func TestACompressedAnswerIsGzipAndABadOneIsNot(t *testing.T) {
	for kind, good := range map[fault.Kind]bool{fault.KindGzip: true, fault.KindBadGzip: false} {
		_, url := faulty(t, fault.Rule{Kind: kind})
		got, err := post(t, client(t, &http.Transport{DisableCompression: true}), url+"/v1/chat/completions", chatBody)
		if err != nil || got.header.Get("Content-Encoding") != "gzip" || got.header.Get("Content-Length") != strconv.Itoa(len(got.body)) {
			t.Errorf("%s: %v, %v", kind, got.header, err)
		}
		plain, err := gzip.NewReader(strings.NewReader(got.body))
		if (err == nil) != good {
			t.Errorf("%s: gzip says %v", kind, err)
		}
		if err == nil {
			if text, err := io.ReadAll(plain); err != nil || !strings.HasPrefix(string(text), `{"id":"chatcmpl-`) {
				t.Errorf("%s: %q, %v", kind, text, err)
			}
		}
	}
}

func TestHintsGoBeforeAndTrailersAfterTheAnswer(t *testing.T) {
	_, url := faulty(t, fault.Rule{Kind: fault.KindEarlyHints})
	got, err := exchange(t, url, strings.Replace(rawRequest("/v1/chat/completions", chatBody), "Host:", "Connection: close\r\nHost:", 1))
	if err != nil || !strings.HasPrefix(got, "HTTP/1.1 103 Early Hints\r\n") || !strings.Contains(got, "\r\n\r\nHTTP/1.1 200 OK\r\n") {
		t.Errorf("%q, %v", got, err)
	}
	for _, body := range []string{chatBody, streamBody} {
		_, url = faulty(t, fault.Rule{Kind: fault.KindTrailers})
		got, err = exchange(t, url, strings.Replace(rawRequest("/v1/chat/completions", body), "Host:", "Connection: close\r\nHost:", 1))
		if err != nil || !strings.HasSuffix(got, "X-Sim-Trailer: sent\r\n\r\n") || !strings.Contains(got, "\r\nTrailer: ") {
			t.Errorf("%q, %v", got, err)
		}
	}
}
