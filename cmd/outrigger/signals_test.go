package main

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestCtrlCStopsTheSimulatedUpstreamCleanly(t *testing.T) {
	command := exec.CommandContext(t.Context(), os.Args[0], "sim", "-listen", "127.0.0.1:0")
	command.Env = []string{beOutrigger + "=1"}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("want exit code 0: %v", err)
	}
}
