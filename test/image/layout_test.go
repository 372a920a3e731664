package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const version = "v0.0.0-image-test"

// lay runs the build stage's commands and lays the final stage's files out in a
// directory, which it returns. /out becomes a directory of the test, and /src the
// repository; everything else in the commands is run as it stands.
func lay(t *testing.T) string {
	t.Helper()
	out, image := filepath.Join(t.TempDir(), "out"), t.TempDir()
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	built := stages(t)
	for _, command := range all(built[0], "RUN") {
		for strings.HasPrefix(command, "--") { // cache mounts
			_, command, _ = strings.Cut(command, " ")
		}
		run := exec.CommandContext(t.Context(), "sh", "-ec", strings.ReplaceAll(command, "/out/", out+"/"))
		run.Dir = root(t)
		run.Env = append(os.Environ(), "VERSION="+version, "COMMIT=0a1b2c3", "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
		if output, err := run.CombinedOutput(); err != nil {
			t.Fatalf("RUN %s: %v\n%s", command, err, output)
		}
	}
	for _, instruction := range all(built[1], "COPY") {
		words := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(instruction, "--from=build "), "--chmod=1777 "))
		from, to := strings.Replace(words[0], "/out/", out+"/", 1), filepath.Join(image, words[1])
		if !strings.HasPrefix(instruction, "--from=build ") {
			from = filepath.Join(root(t), words[0])
		}
		into := filepath.Dir(to)
		if strings.HasSuffix(words[0], "/") { // what is in the directory
			from, into = from+".", to
		}
		if err := os.MkdirAll(into, 0o755); err != nil {
			t.Fatal(err)
		}
		if output, err := exec.CommandContext(t.Context(), "cp", "-a", "-L", from, to).CombinedOutput(); err != nil {
			t.Fatalf("COPY %s: %v\n%s", instruction, err, output)
		}
	}
	if err := os.Chmod(image, 0o755); err != nil {
		t.Fatal(err)
	}
	return image
}
