package image

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sizeMax is what the binary may grow to before someone should ask why, in bytes.
const sizeMax = 24 << 20

func TestTheBinaryIsStaticSmallAndKnowsItsVersion(t *testing.T) {
	path := filepath.Join(lay(t), "outrigger")
	binary, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = binary.Close() }()
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary has a %v segment: it needs a loader, and the image has none", p.Type)
		}
	}
	if binary.Section(".debug_info") != nil || binary.Section(".symtab") != nil {
		t.Error("the binary carries symbols")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(root(t)+"/")) {
		t.Error("the binary tells where it was built")
	}
	t.Logf("the binary is %.1f MiB", float64(len(text))/(1<<20))
	if len(text) > sizeMax {
		t.Errorf("the binary is %d bytes, over %d", len(text), sizeMax)
	}
	output, err := exec.CommandContext(t.Context(), path, "version").CombinedOutput()
	if err != nil || !strings.Contains(string(output), version+" (commit 0a1b2c3)") {
		t.Errorf("outrigger version: %v, %q does not tell %s", err, output, version)
	}
}
