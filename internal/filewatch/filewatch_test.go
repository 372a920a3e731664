package filewatch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"outrigger/test/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// patience only matters when a test fails.
const patience = 30 * time.Second

func watch(t *testing.T, paths ...string) *Watcher {
	t.Helper()
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := w.Set(paths); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *Watcher) await(t *testing.T, what string) {
	t.Helper()
	select {
	case <-w.Changed():
	case <-time.After(patience):
		t.Fatalf("%s: nothing was told", what)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestWatcher_TellsOfEachWayToReplaceAFile(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "key")
	write(t, path, "one")
	w := watch(t, path)
	write(t, path, "two")
	w.await(t, "written in place")
	write(t, path+".new", "three")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	w.await(t, "renamed")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.await(t, "removed")
	write(t, path, "four")
	w.await(t, "there again")
}

// The files of a mounted Secret are links into ..data, which is a link to a directory that is
// made anew for each change. https://pkg.go.dev/k8s.io/kubernetes/pkg/volume/util#AtomicWriter
func TestWatcher_TellsOfEachSwapOfAMountedSecret(t *testing.T) {
	mount := t.TempDir()
	version := func(name, content string) {
		if err := os.Mkdir(filepath.Join(mount, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(mount, name, "key"), content)
	}
	version("..1", "one")
	link(t, "..1", filepath.Join(mount, "..data"))
	link(t, "..data/key", filepath.Join(mount, "key"))
	w := watch(t, filepath.Join(mount, "key"))
	for _, name := range []string{"..2", "..3"} {
		version(name, name)
		link(t, name, filepath.Join(mount, "..data"))
		w.await(t, "version "+name)
		if content, err := os.ReadFile(filepath.Join(mount, "key")); err != nil || string(content) != name {
			t.Fatalf("the file has %q, %v", content, err)
		}
	}
}

func TestWatcher_OtherFilesAreNotTold(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "key")
	write(t, path, "one")
	w := watch(t, path)
	write(t, filepath.Join(directory, "other"), "x")
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, path, "two") // comes after the others, and is told for itself
	w.await(t, "the file itself")
	select {
	case <-w.Changed():
		t.Error("another change was told")
	default:
	}
	if err := w.Set(nil); err != nil {
		t.Fatal(err)
	}
	if got := w.events.WatchList(); len(got) != 0 {
		t.Errorf("%v are still watched", got)
	}
}

func TestPlaces_AreThoseOfAllLinks(t *testing.T) {
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(elements ...string) string { return filepath.Join(append([]string{directory}, elements...)...) }
	if err := os.MkdirAll(in("real", "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	link(t, in("real"), in("alias"))
	link(t, "deep/key", in("real", "key"))
	got := map[string]map[string]bool{}
	addPlaces(in("alias", "key"), got)
	for at, name := range map[string]string{in(): "alias", in("real"): "key", in("real", "deep"): "key"} {
		if !got[at][name] {
			t.Errorf("%s in %s is not watched: %v", name, at, got)
		}
	}
	if len(got) != 3 {
		t.Errorf("got %v", got)
	}
	loop := map[string]map[string]bool{}
	link(t, in("loop"), in("loop"))
	addPlaces(in("loop"), loop) // ends
}
