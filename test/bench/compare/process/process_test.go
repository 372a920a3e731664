package process

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes this program one that works for 0.1 s and listens, when it is asked to.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "work" {
		for used := int64(0); used < int64(100*time.Millisecond); {
			var usage syscall.Rusage
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
			used = usage.Utime.Nano() + usage.Stime.Nano()
		}
		l, err := net.Listen("tcp", os.Args[2])
		if err != nil {
			os.Exit(1)
		}
		for {
			conn, err := l.Accept()
			if err != nil {
				os.Exit(1)
			}
			_ = conn.Close()
		}
	}
	os.Exit(m.Run())
}

func TestProcess_TellsWhatItUsesAndIsGoneAfterStop(t *testing.T) {
	addr, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(context.Background(), Program{Path: os.Args[0], Args: []string{"work", addr}, Addr: addr}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if cpu, err := p.CPU(); err != nil || cpu < 50*time.Millisecond {
		t.Errorf("CPU %v, %v, want some", cpu, err)
	}
	if size, err := p.Memory(); err != nil || size < 1<<20 {
		t.Errorf("memory %d, %v, want a MiB and more", size, err)
	}
	p.Stop()
	if _, err := p.CPU(); err == nil {
		t.Error("it is still there after Stop")
	}
}

func TestStart_ReportsWhatAProgramThatEndsSaid(t *testing.T) {
	_, err := Start(context.Background(), Program{Path: "/bin/sh", Args: []string{"-c", "echo no such setting; exit 1"}, Addr: "127.0.0.1:1"}, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "no such setting") {
		t.Errorf("error %v, want what the program said", err)
	}
}
