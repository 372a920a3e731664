package main

import (
	"bufio"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/memnet"
	"outrigger/proxy/firstbyte"
)

func TestServersAreBounded(t *testing.T) {
	traffic, admin := newTrafficServer(nil, nil), newAdminServer(nil, nil)
	if traffic.ReadHeaderTimeout == 0 || traffic.IdleTimeout == 0 || traffic.MaxHeaderBytes == 0 {
		t.Errorf("the traffic server lacks a bound: %+v", traffic)
	}
	if traffic.WriteTimeout != 0 || traffic.ReadTimeout != 0 {
		t.Error("the traffic server would cut long streams or slow uploads")
	}
	if admin.ReadHeaderTimeout == 0 || admin.ReadTimeout == 0 || admin.WriteTimeout == 0 || admin.IdleTimeout == 0 || admin.MaxHeaderBytes == 0 {
		t.Errorf("the admin server lacks a bound: %+v", admin)
	}
}

func TestAConnectionThatACallerKeptInReserveIsStillThere(t *testing.T) {
	for name, tt := range map[string]struct {
		unused time.Duration
		served bool
	}{
		"as long as Go's client keeps one": {90 * time.Second, true},
		"as long as OkHttp does":           {5 * time.Minute, true},
		"for good":                         {6 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New(memnet.Latency{})
				listener := firstbyte.New(network, (&certificates{}).firstByte())
				server := newTrafficServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
				go func() { _ = server.Serve(listener) }()
				defer func() { _ = server.Close() }()
				c, err := network.Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				time.Sleep(tt.unused)
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err == nil {
					_ = resp.Body.Close()
				}
				if served := err == nil; served != tt.served {
					t.Errorf("the first request over it after %v: %v, want it served: %t", tt.unused, err, tt.served)
				}
			})
		})
	}
}
