package authority

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/test/process"
)

func TestOnlyTheOwnerCanReadTheKey(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "new", "outrigger")
	open(t, directory)
	got := map[string]fs.FileMode{}
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		name, _ := filepath.Rel(directory, path)
		got[name] = info.Mode()
		return err
	})
	want := map[string]fs.FileMode{
		".": fs.ModeDir | 0o755, "ca.pem": 0o644, "private": fs.ModeDir | 0o700, "private/ca-key.pem": 0o600, "private/lock": 0o600,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	content, err := os.ReadFile(File(directory))
	block, rest := pem.Decode(content)
	if err != nil || block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		t.Errorf("ca.pem holds more than the certificate: %v\n%s", err, content)
	}
}

func TestAKeyThatOthersCanReachIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(directory string) error{
		"a readable key":                 func(d string) error { return os.Chmod(d+"/private/ca-key.pem", 0o640) },
		"a writable key":                 func(d string) error { return os.Chmod(d+"/private/ca-key.pem", 0o602) },
		"an open directory":              func(d string) error { return os.Chmod(d+"/private", 0o750) },
		"a link in place of a directory": func(d string) error { return relink(d + "/private") },
		"a link in place of the key":     func(d string) error { return relink(d + "/private/ca-key.pem") },
		"another one's key": func(d string) error {
			if os.Geteuid() != 0 {
				return fs.ErrPermission
			}
			return os.Chown(d+"/private/ca-key.pem", 65532, 65532)
		},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			open(t, directory)
			if err := spoil(directory); errors.Is(err, fs.ErrPermission) {
				process.Missing(t, "needs root, which can give a file away")
			} else if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(directory); err == nil || !strings.Contains(err.Error(), "private") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// relink moves what is at path away and leaves a link to it.
func relink(path string) error {
	return errors.Join(os.Rename(path, path+".moved"), os.Symlink(path+".moved", path))
}

func TestAnAuthorityIsMadeOnceAndFound(t *testing.T) {
	directory := t.TempDir()
	first := open(t, directory, "api.openai.com", "api.groq.com")
	for _, names := range [][]string{{"api.openai.com", "api.groq.com"}, {"API.GROQ.com."}, nil} {
		again := open(t, directory, names...)
		if !again.cert.Equal(first.cert) || !again.key.Equal(first.key) || again.Made() || !first.Made() {
			t.Errorf("%v: another one, or made %v, %v", names, first.Made(), again.Made())
		}
	}
}

func TestAnAuthorityForOtherHostsIsNotWidened(t *testing.T) {
	directory := t.TempDir()
	first := open(t, directory, "api.openai.com")
	_, err := Open(directory, "api.openai.com", "api.groq.com")
	if !errors.Is(err, ErrNames) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{`"api.groq.com" is wanted`, "127.0.0.1, ::1, api.openai.com, localhost", "remove " + directory + "/private", directory + "/ca.pem"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	if again := open(t, directory, "api.openai.com"); !again.cert.Equal(first.cert) {
		t.Error("it was replaced")
	}
	if err := os.RemoveAll(filepath.Join(directory, "private")); err != nil { // as the error says
		t.Fatal(err)
	}
	if again := open(t, directory, "api.openai.com", "api.groq.com"); !again.Made() {
		t.Error("it was not made anew")
	}
}

func TestManyThatStartAtOnceGetOneAuthority(t *testing.T) {
	directory := t.TempDir()
	all, failures := make([]*Authority, 20), make([]error, 20)
	var running sync.WaitGroup
	for i := range all {
		running.Go(func() { all[i], failures[i] = Open(directory, "api.openai.com") })
	}
	running.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, a := range all {
		if !a.cert.Equal(all[0].cert) || !a.key.Equal(all[0].key) {
			t.Error("there are two authorities")
		}
		if a.Made() {
			made++
		}
	}
	published, err := os.ReadFile(File(directory))
	block, _ := pem.Decode(published)
	if made != 1 || err != nil || !bytes.Equal(block.Bytes, all[0].cert.Raw) {
		t.Errorf("made %d times; ca.pem: %v", made, err)
	}
	left, err := filepath.Glob(directory + "/private/.new*")
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestAnAuthorityThatIsAboutToEndIsReplaced(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		first := open(t, directory)
		time.Sleep(life - leastLife)
		if open(t, directory).Made() {
			t.Error("replaced early")
		}
		time.Sleep(time.Second)
		if next := open(t, directory); !next.Made() || next.cert.Equal(first.cert) || time.Until(next.Until()) != life {
			t.Errorf("not replaced: it ends in %v", time.Until(next.Until()))
		}
	})
}

func TestAMissingCertificateIsWrittenAgain(t *testing.T) {
	directory := t.TempDir()
	open(t, directory)
	before, _ := os.ReadFile(File(directory))
	for _, spoil := range []func() error{
		func() error { return os.Remove(File(directory)) },
		func() error { return os.WriteFile(File(directory), []byte("another"), 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		open(t, directory)
		if after, err := os.ReadFile(File(directory)); err != nil || !bytes.Equal(after, before) {
			t.Errorf("got %q, %v", after, err)
		}
	}
}

func TestADamagedAuthorityIsAnErrorThatQuotesNothing(t *testing.T) {
	whole := func(directory string) []byte {
		open(t, directory)
		content, _ := os.ReadFile(directory + "/private/ca-key.pem")
		return content
	}
	cut := func(content []byte) ([]byte, []byte) { // key and certificate
		i := bytes.Index(content, []byte("-----BEGIN CERT"))
		return content[:i:i], content[i:]
	}
	otherKey, _ := cut(whole(t.TempDir()))
	for name, damage := range map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil },
		"cut":   func(b []byte) []byte { return b[:len(b)/2] },
		"another one's key": func(b []byte) []byte {
			_, certificate := cut(b)
			return append(otherKey, certificate...)
		},
		"the wrong way": func(b []byte) []byte {
			key, certificate := cut(b)
			return slices.Concat(certificate, key)
		},
		"a key that is none": func(b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b[:20]}) },
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			content := whole(directory)
			if err := os.WriteFile(directory+"/private/ca-key.pem", damage(content), 0o600); err != nil {
				t.Fatal(err)
			}
			secret := strings.Split(string(content), "\n")[1]
			if _, err := Open(directory); err == nil || strings.Contains(err.Error(), secret[:20]) || !strings.Contains(err.Error(), "ca-key.pem") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestADirectoryThatCannotBeHadIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, directory := range []string{file, filepath.Join(file, "below"), "/proc/outrigger"} {
		if _, err := Open(directory); err == nil {
			t.Errorf("%s: no error", directory)
		}
	}
}
