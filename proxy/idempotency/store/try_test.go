package store

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/storetest"
)

func TestTryTellsWhatOpenWouldAndChangesNothing(t *testing.T) {
	directory := t.TempDir()
	empty, foreign := filepath.Join(directory, "empty"), filepath.Join(directory, "foreign")
	for path, content := range map[string]string{empty: "", foreign: "no store"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]error{
		"memory":                             nil,
		"file:" + directory + "/new.db":      nil,
		"file:" + directory + "/none/new.db": fs.ErrNotExist,
		"file:" + empty + "/new.db":          syscall.ENOTDIR,
		"file:" + directory:                  claims.ErrUnavailable,
		"file:" + empty:                      claims.ErrUnavailable,
		"file:" + foreign:                    claims.ErrUnavailable,
		"redis://127.0.0.1:1":                syscall.ECONNREFUSED,
	} {
		var c Config
		if err := c.Spec.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := Try(t.Context(), c); !errors.Is(err, want) || err != nil && !errors.Is(err, claims.ErrUnavailable) || InUse(err) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	left, err := os.ReadDir(directory)
	if err != nil || len(left) != 2 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
	if info, err := os.Stat(foreign); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("a foreign file: %v, %v", info, err)
	}
}

func TestTryKnowsAFileThatIsInUse(t *testing.T) {
	c := Config{Spec: Spec{path: filepath.Join(t.TempDir(), "store.db")}, TTL: time.Hour, Bytes: 1 << 20}
	opened, err := Open(c, slog.New(slog.DiscardHandler), storetest.Unbounded{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Try(t.Context(), c); !InUse(err) {
		t.Errorf("error %v, want that it is in use", err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Try(t.Context(), c); err != nil {
		t.Errorf("error %v once it was closed", err)
	}
}

func TestAdviceIsSilentWhereThereIsNothingToSay(t *testing.T) {
	for _, text := range []string{"memory", "file:" + filepath.Join(t.TempDir(), "store.db"), "redis://127.0.0.1:1"} {
		var c Config
		if err := c.Spec.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if told := Advice(t.Context(), c); told != "" {
			t.Errorf("%s: %q", text, told)
		}
	}
}
