package main

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"outrigger/proxy/firstbyte"
	"outrigger/proxy/intercept"
)

func TestTheRequestsInATunnelKnowItsTargetAndToken(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := firstbyte.New(inner, firstbyte.Options{Patience: 10 * time.Second, TLS: &tls.Config{}})
	defer l.Close()
	for first, name := range map[byte]string{'G': "cleartext", 22: "TLS"} {
		ours, theirs := net.Pipe()
		defer ours.Close()
		l.Offer(theirs, "api.example:443", "token", []byte{first})
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ctx := withTarget(context.Background(), c)
		if target, token := intercept.Target(ctx), intercept.Token(ctx); target != "api.example:443" || token != "token" {
			t.Errorf("%s: target %q, token %q", name, target, token)
		}
		_ = c.Close()
	}
}
