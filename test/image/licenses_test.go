package image

import (
	"debug/buildinfo"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Each module that is linked in has its licence in the image, Go and the roots of
// trust too, and /tmp is right for any user.
func TestTheImageHasTheLicencesOfAllThatIsInIt(t *testing.T) {
	image := lay(t)
	built, err := buildinfo.ReadFile(filepath.Join(image, "outrigger"))
	if err != nil {
		t.Fatal(err)
	}
	if len(built.Deps) < 10 {
		t.Errorf("%d modules", len(built.Deps))
	}
	names := []string{"go@" + built.GoVersion, "ca-certificates"}
	for _, m := range built.Deps {
		names = append(names, m.Path+"@"+m.Version)
	}
	for _, name := range names {
		texts := 0
		_ = filepath.WalkDir(filepath.Join(image, "licenses", name), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if text, err := os.ReadFile(path); err == nil && len(text) > 200 {
				texts++
			}
			return nil
		})
		if texts == 0 {
			t.Errorf("no licence of %s", name)
		}
	}
	if info, err := os.Stat(filepath.Join(image, "tmp")); err != nil || info.Mode() != fs.ModeDir|fs.ModeSticky|0o777 {
		t.Errorf("/tmp: %v, %v", info, err)
	}
}
