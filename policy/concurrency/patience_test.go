package concurrency_test

import (
	"testing"
	"time"

	"outrigger/policy/concurrency"
)

func TestPatience_IsThatOfMostWhoLeftLately(t *testing.T) {
	var p concurrency.Patience
	now := time.Unix(1_000_000, 0)
	for range 3 {
		p.Left(now, 5*time.Second)
	}
	if d, known := p.Value(now); known {
		t.Errorf("three that left tell %v", d)
	}
	p.Left(now, time.Minute)
	p.Left(now, 100*time.Millisecond)
	if d, known := p.Value(now.Add(29 * time.Second)); !known || d != 5*time.Second {
		t.Errorf("got %v %v, want 5 s", d, known)
	}
	if d, known := p.Value(now.Add(30 * time.Second)); known {
		t.Errorf("those who left long ago tell %v", d)
	}
	for range 16 {
		p.Left(now, time.Second)
	}
	if d, _ := p.Value(now); d != time.Second {
		t.Errorf("got %v, want that of the latest", d)
	}
}
