package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
)

var (
	modelLine = regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`)
	nameLine  = regexp.MustCompile(`(?m)^PRETTY_NAME="(.+)"$`)
)

// machine tells what this runs on: the processor and the system in words, the cores, and
// how many processes ran or wanted to in the last minute.
func machine() (string, int, float64) {
	cores := runtime.NumCPU()
	text := fmt.Sprintf("%d cores", cores)
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := modelLine.FindSubmatch(info); m != nil {
			text = fmt.Sprintf("%d cores of %s", cores, strings.TrimSpace(string(m[1])))
		}
	}
	if release, err := os.ReadFile("/etc/os-release"); err == nil {
		if m := nameLine.FindSubmatch(release); m != nil {
			text += ", " + string(m[1])
		}
	}
	var load float64
	if average, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(average), &load)
	}
	return text + ", " + runtime.Version(), cores, load
}
