package proxy

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLogSaysOnceAMinuteWhyBodiesCannotBeSpooled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		tell := newUnspooled("/spool", slog.New(slog.NewTextHandler(&log, nil)))
		for range 1000 {
			tell(errors.New("writing a spool file: no space left on device"))
		}
		time.Sleep(59 * time.Second)
		tell(errors.New("x"))
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=WARN") ||
			!strings.Contains(got, "no space left on device") || !strings.Contains(got, "directory=/spool") {
			t.Errorf("logged\n%s", got)
		}
		time.Sleep(time.Second)
		tell(errors.New("permission denied"))
		if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "permission denied") || !strings.HasSuffix(got, "bodies=1001\n") {
			t.Errorf("logged\n%s", got)
		}
	})
}
