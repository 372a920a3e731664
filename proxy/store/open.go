package store

import "fmt"

// Open opens the store that c names. The caller closes it.
func Open(c Config) (Store, error) {
	switch {
	case c.Spec == Spec{}:
		return newMemory(c), nil
	case c.Spec.path != "":
		return openFile(c)
	}
	return nil, fmt.Errorf("%w: %s", ErrSpec, c.Spec)
}
