package spool

import (
	"errors"
	"fmt"
)

// probeText is what Probe writes: a full disk still makes empty files.
var probeText = []byte("outrigger")

// Probe makes a file in the directory of the spool files, writes to it and removes
// it, so that an unusable directory is known at start and not with the first large
// body. It does nothing when SpoolMax is 0. The error wraps the cause.
func Probe(c Config) error {
	if c.SpoolMax == 0 {
		return nil
	}
	f, err := createUnlinked(c.Dir)
	if err != nil {
		return err
	}
	return probe(f)
}

func probe(f file) error {
	if _, err := f.WriteAt(probeText, 0); err != nil {
		return fmt.Errorf("writing a spool file: %w", errors.Join(err, f.Close()))
	}
	return f.Close()
}
