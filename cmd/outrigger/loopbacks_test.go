package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// needIPv6 skips a test where ::1 is not there.
func needIPv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no ::1 here")
	}
	_ = l.Close()
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestLoopbacks_BothAnswerUnderOnePort(t *testing.T) {
	needIPv6(t)
	for _, listen := range []string{"127.0.0.1:0", "localhost:0", "LocalHost:0"} {
		t.Run(listen, func(t *testing.T) {
			p := startProcess(t, "OUTRIGGER_LISTEN="+listen, "OUTRIGGER_ADMIN_LISTEN="+listen)
			for path, address := range map[string]string{"/readyz": p.admin, "/@nowhere/v1/models": p.traffic} {
				for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
					resp, err := http.Get("http://" + net.JoinHostPort(host, portOf(t, address)) + path)
					if err != nil {
						t.Errorf("%s: %v", host, err)
						continue
					}
					_ = resp.Body.Close()
					if want := map[string]int{"/readyz": 200, "/@nowhere/v1/models": 400}[path]; resp.StatusCode != want {
						t.Errorf("%s%s: got %d, want %d", host, path, resp.StatusCode, want)
					}
				}
			}
		})
	}
}

func TestLoopbacks_OtherAddressesStandForThemselves(t *testing.T) {
	needIPv6(t)
	for listen, other := range map[string]string{"127.0.0.2:0": "::1", "[::1]:0": "127.0.0.1"} {
		listener, err := listen0(t, listen, &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		if conn, err := net.Dial("tcp", net.JoinHostPort(other, portOf(t, listener.Addr().String()))); err == nil {
			_ = conn.Close()
			t.Errorf("%s answers on %s too", listen, other)
		}
	}
	for listen, want := range map[string]string{
		"127.0.0.1:1": "[::1]:1", "localhost:1": "[::1]:1", ":1": "", "0.0.0.0:1": "", "[::]:1": "", "127.0.0.2:1": "", "localhost.example:1": "",
	} {
		if got := otherLoopback(listen, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}); got != want {
			t.Errorf("%s: %q, want %q", listen, got, want)
		}
	}
	if got := otherLoopback("localhost:1", &net.TCPAddr{IP: net.IPv6loopback, Port: 1}); got != "127.0.0.1:1" {
		t.Errorf("localhost that is ::1: %q", got)
	}
}

// listen0 is listen with a log.
func listen0(t *testing.T, address string, log *bytes.Buffer) (net.Listener, error) {
	t.Helper()
	return listen(t.Context(), "OUTRIGGER_LISTEN", address, slog.New(slog.NewTextHandler(log, nil)))
}

func TestLoopbacks_PortTakenOnTheOtherOneIsSaid(t *testing.T) {
	needIPv6(t)
	taken, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var log bytes.Buffer
	listener, err := listen0(t, "127.0.0.1:"+portOf(t, taken.Addr().String()), &log)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), taken.Addr().String()) {
		t.Errorf("it logged %q", log.String())
	}
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestLoopbacks_CloseEndsBoth(t *testing.T) {
	needIPv6(t)
	listener, err := listen0(t, "127.0.0.1:0", &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				over <- err
				return
			}
			_ = conn.Close()
		}
	}()
	for _, host := range []string{"127.0.0.1", "::1"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, portOf(t, listener.Addr().String())))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	if err := <-over; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept returned %v", err)
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		if conn, err := net.Dial("tcp", net.JoinHostPort(host, portOf(t, listener.Addr().String()))); err == nil {
			_ = conn.Close()
			t.Errorf("%s still answers", host)
		}
	}
}
