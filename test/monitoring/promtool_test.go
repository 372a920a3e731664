package monitoring

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"outrigger/test/process"
)

const directory = "../../k8s/monitoring"

func TestMain(m *testing.M) {
	code := m.Run()
	process.Remove()
	os.Exit(code)
}

// promtool runs it in dir with something on its standard input. What it objects to fails the
// test.
func promtool(t *testing.T, dir, input string, arguments ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if path, err = filepath.Abs("../../.tools/bin/promtool"); err == nil {
			_, err = os.Stat(path)
		}
	}
	if err != nil {
		process.Missing(t, "no promtool (test/prepare.sh promtool fetches Debian's)")
	}
	command := exec.CommandContext(t.Context(), path, arguments...)
	command.Dir, command.Stdin = dir, strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
