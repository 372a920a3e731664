package filewatch

import (
	"os"
	"path/filepath"
	"strings"
)

// mostLinks bounds the symbolic links on the way to one file, as Linux does.
const mostLinks = 40

// addPlaces adds the directories and names in them that decide what path stands for: the file's
// own, and those of all symbolic links on the way to it.
func addPlaces(path string, places map[string]map[string]bool) {
	path, err := filepath.Abs(path)
	if err != nil {
		return
	}
	for range mostLinks {
		directory, name, next := firstLink(path)
		if places[directory] == nil {
			places[directory] = map[string]bool{}
		}
		places[directory][name] = true
		if next == "" {
			return
		}
		path = next
	}
}

// firstLink returns the directory and name of the first symbolic link in path, and the path
// with that resolved. If there is none, they are those of the file, and next is "".
func firstLink(path string) (directory, name, next string) { //nolint:nonamedreturns // the names tell them apart
	root := filepath.VolumeName(path) + string(filepath.Separator)
	parts := strings.Split(strings.TrimPrefix(path, root), string(filepath.Separator))
	at := root
	for i, part := range parts {
		here := filepath.Join(at, part)
		target, err := os.Readlink(here)
		if err != nil { // no link, or nothing there
			at = here
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(at, target)
		}
		return at, part, filepath.Join(append([]string{target}, parts[i+1:]...)...)
	}
	directory, name = split(path)
	return directory, name, ""
}

func split(path string) (directory, name string) { //nolint:nonamedreturns // the names tell them apart
	return filepath.Dir(path), filepath.Base(path)
}
