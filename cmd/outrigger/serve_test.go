package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrigger/internal/config"
)

func TestABusyPortIsAPlainMessage(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for variable, other := range map[string]string{"OUTRIGGER_LISTEN": "OUTRIGGER_ADMIN_LISTEN", "OUTRIGGER_ADMIN_LISTEN": "OUTRIGGER_LISTEN"} {
		environ := []string{variable + "=" + busy.Addr().String(), other + "=127.0.0.1:0"}
		got := runWith(t, nil, environ)
		want := fmt.Sprintf("outrigger: cannot listen on %s: the port is in use by another process; %s sets another one\n", busy.Addr(), variable)
		if got.Code != 1 || got.Stdout != "" || !strings.HasSuffix(got.Stderr, want) {
			t.Errorf("got %+v, want exit code 1 and %s", got, want)
		}
	}
}

func TestAnAddressOfAnotherMachineIsAPlainMessage(t *testing.T) {
	got := runWith(t, nil, []string{"OUTRIGGER_LISTEN=192.0.2.1:8383", "OUTRIGGER_ADMIN_LISTEN=off"}) // RFC 5737
	want := "outrigger: cannot listen on 192.0.2.1:8383, set by OUTRIGGER_LISTEN: "
	if got.Code != 1 || !strings.HasPrefix(got.Stderr, want) {
		t.Errorf("got %+v, want exit code 1 and %s", got, want)
	}
}

func TestTheEndOfTheContextStopsLikeASignal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, nil, []string{"OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=off"}, io.Discard, writer)
		_ = writer.Close()
	}()
	for lines := bufio.NewScanner(reader); lines.Scan(); {
		if strings.Contains(lines.Text(), "listening") {
			cancel()
		}
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code %d", got)
	}
}

func TestBothListenersServe(t *testing.T) {
	upstream, _ := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_UPSTREAM_TEST_API_KEY=sk-planted")
	if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 200 || body != "upstream says hello" {
		t.Errorf("the traffic listener answers %d %s", code, body)
	}
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ok\n", "/metrics": "\ngo_goroutines ", "/status.json": "{", "/config": `"variable": "OUTRIGGER_UPSTREAM_TEST_API_KEY",`,
	} {
		if code, body := get(t, "http://"+p.admin+path); code != 200 || !strings.Contains(body, want) || strings.Contains(body, "sk-planted") {
			t.Errorf("%s answers %d %s, want %q in it and no key", path, code, body, want)
		}
	}
	if code, body := get(t, "http://"+p.admin+"/metrics"); !strings.Contains(body, "\nprocess_open_fds ") {
		t.Errorf("/metrics answers %d without the process collector", code)
	}
	_, body := get(t, "http://"+p.admin+"/config")
	var shown []config.Variable
	if err := json.Unmarshal([]byte(body), &shown); err != nil || len(shown) < 20 {
		t.Errorf("/config is not the table of variables: %v", err)
	}
	if strings.Contains(p.output(), "sk-planted") {
		t.Errorf("the log holds the key:\n%s", p.output())
	}
}

func TestBothVersionsOfHTTPAreServedInCleartext(t *testing.T) {
	upstream, _ := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream)
	for want, set := range map[int]func(*http.Protocols, bool){1: http1, 2: http2} {
		protocols := &http.Protocols{}
		set(protocols, true)
		transport := &http.Transport{Protocols: protocols}
		response, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://" + p.traffic + "/v1/models")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.ProtoMajor != want || string(body) != "upstream says hello" {
			t.Errorf("HTTP/%d: %s %q, %v", want, response.Proto, body, err)
		}
		response.Body.Close()
		transport.CloseIdleConnections()
	}
}

func TestEndlessHeadersGetAPlain431(t *testing.T) {
	p := startProcess(t)
	for name, header := range map[string]string{"the shortest": "a:\r\n", "ordinary ones": "x-header: some value\r\n"} {
		connection, err := net.Dial("tcp", p.traffic)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		go func() { // until the server closes the connection
			_, _ = io.WriteString(connection, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n"+strings.Repeat(header, 100_000)+"\r\n")
		}()
		status, err := bufio.NewReader(connection).ReadString('\n')
		if err != nil || status != "HTTP/1.1 431 Request Header Fields Too Large\r\n" {
			t.Errorf("%s: %q, %v", name, status, err)
		}
	}
}
