package main

import "testing"

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
