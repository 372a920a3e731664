package main

import (
	"net"
	"testing"
	"time"
)

func TestMoreConnectionsThanAllowedWait(t *testing.T) {
	listener, err := listen(t.Context(), "OUTRIGGER_LISTEN", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- connection
		}
	}()
	for range 2 {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("the second connection was accepted beside the first")
	case <-time.After(50 * time.Millisecond): // long enough for one that does not wait
	}
	first.Close()
	if second := <-accepted; second == nil {
		t.Fatal("the second connection was not accepted after the first")
	} else {
		second.Close()
	}
}

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
