package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticks per second of the times in /proc, the same on every Linux that Go runs on.
const ticks = 100

// CPU is the user and system time that the program and its workers have used.
func (s *Process) CPU() (time.Duration, error) {
	var all time.Duration
	err := s.each(func(_ string, stat []string) error {
		for _, i := range []int{statUser, statSystem} {
			n, err := strconv.ParseInt(stat[i], 10, 64)
			if err != nil {
				return err
			}
			all += time.Duration(n) * time.Second / ticks
		}
		return nil
	})
	return all, err
}

// Memory is the resident memory of the program and its workers in bytes. What they share
// counts once (Pss).
func (s *Process) Memory() (int64, error) {
	var all int64
	err := s.each(func(dir string, _ []string) error {
		text, err := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
		if err != nil {
			return err
		}
		for line := range bytes.Lines(text) {
			if rest, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
				kib, err := strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64)
				all += kib << 10
				return err
			}
		}
		return fmt.Errorf("%s: no Pss", dir)
	})
	return all, err
}

// Fields of /proc/PID/stat after the command's name: proc(5) counts them from 3.
const (
	statGroup  = 5 - 3
	statUser   = 14 - 3
	statSystem = 15 - 3
)

// each visits the processes of the group.
func (s *Process) each(visit func(dir string, stat []string) error) error {
	group := strconv.Itoa(s.command.Process.Pid)
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	found := false
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ")
		stat := strings.Fields(rest)
		if len(stat) <= statSystem || stat[statGroup] != group {
			continue
		}
		found = true
		if err := visit(dir, stat); err != nil {
			return err
		}
	}
	if !found {
		return errEnded
	}
	return nil
}
