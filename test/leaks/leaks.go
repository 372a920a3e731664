// Package leaks fails a test binary that leaves goroutines behind.
package leaks

import (
	"fmt"
	"os"
	"time"

	"go.uber.org/goleak"
)

// patience bounds the wait for goroutines that are about to end. goleak's own is 0.4
// seconds, which the last connections of a busy machine may take to close.
const patience = 30 * time.Second

// Runner is *testing.M.
type Runner interface{ Run() int }

// Main runs the tests and ends the process, with status 1 if a test failed or a
// goroutine is left that does not end. For TestMain.
func Main(m Runner) { os.Exit(run(m, patience)) }

func run(m Runner, patience time.Duration) int {
	if code := m.Run(); code != 0 {
		return code
	}
	err, late := goleak.Find(), time.Now().Add(patience)
	for err != nil && time.Now().Before(late) {
		err = goleak.Find() // takes its own while to find some
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "goroutines are left:", err)
	return 1
}
