package store

import "fmt"

// Open opens the store that c names. The caller closes it. A file that cannot be used
// is an error that names it; a Redis that does not answer is none: see the package's doc.
func Open(c Config) (Store, error) {
	switch {
	case c.Spec == Spec{}:
		return newMemory(c), nil
	case c.Spec.path != "":
		return openFile(c)
	case !c.Spec.redis.IsZero():
		return openRedis(c)
	}
	return nil, fmt.Errorf("%w: %s", ErrSpec, c.Spec)
}
