package peers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// Prepare has test/prepare.sh install the peer, and returns its version. The error
// says why it is not here.
func (p Peer) Prepare(ctx context.Context, s Site) (string, error) {
	if p.Install == "" {
		return "", nil
	}
	command := exec.CommandContext(ctx, filepath.Join(s.Root, "test", "prepare.sh"), p.Install)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) } // pip and npm too
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err := command.Run()
	path := filepath.Join(s.Tools, p.Program)
	if _, missing := os.Stat(path); err != nil || missing != nil {
		return "", s.anonymous(fmt.Errorf("cannot be installed: %s", lastLine(said.String())))
	}
	command = exec.CommandContext(ctx, "/bin/sh", "-c", p.Version)
	command.Dir = s.Tools
	text, err := command.CombinedOutput()
	if err != nil {
		return "", s.anonymous(fmt.Errorf("does not tell its version: %w: %s", err, lastLine(string(text))))
	}
	return version.FindString(string(text)), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

var version = regexp.MustCompile(`\d+\.\d+[.\d]*`)
