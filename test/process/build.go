package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is one build per test binary, in a directory that Remove deletes.
var built = sync.OnceValues(build)

// directory holds the built binary; set by build.
var directory string

// Binary returns the path of the outrigger binary, built from this tree at the
// first call. When the test itself was built with -race, so is the binary: a data
// race then ends it with a status that Process.Stop reports. Safe for concurrent use.
func Binary(tb testing.TB) string {
	tb.Helper()
	path, err := built()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// Raced reports whether Binary is built with the race detector.
func Raced() bool { return race }

// Remove deletes what Binary built. For TestMain, after m.Run.
func Remove() { _ = os.RemoveAll(directory) }

func build() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	directory, err = os.MkdirTemp("", "outrigger-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(directory, "outrigger")
	arguments := []string{"build", "-o", path}
	if race {
		arguments = append(arguments, "-race")
	}
	command := exec.Command("go", append(arguments, "./cmd/outrigger")...) //nolint:noctx // the test's own deadline ends it
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building ./cmd/outrigger: %w\n%s", err, output)
	}
	return path, nil
}

// Root returns the directory of the repository's go.mod, which is above the
// directory that go test runs a test in.
func Root() (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(directory, "go.mod")); err == nil {
			return directory, nil
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return "", errors.New("no go.mod above the working directory")
		}
		directory = parent
	}
}
