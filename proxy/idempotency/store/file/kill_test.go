package file

import (
	"bufio"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/chance"
	"outrigger/test/storetest"
)

// A process that is killed at any point loses nothing that it reported: what it had finished is
// Done, and what it had claimed does not run again.
func TestFileSurvivesAKill(t *testing.T) {
	path, random := newPath(t), rand.New(rand.NewPCG(chance.Seed(t), 0))
	said := make(map[string]claims.State)
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	for round := range rounds {
		runAndKill(t, path, round, random, said)
		s, err := Open(path, storetest.Roomy(), storetest.Unbounded{})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for name, state := range said {
			claim, err := s.lookUp(namedCall(name))
			if err != nil || claim.State != state && (state == claims.Done || claim.State != claims.Done) {
				t.Errorf("round %d: %s was %v, and is %v, %v", round, name, state, claim.State, err)
			}
			if claim.State == claims.Done && string(claim.Answer.Body) != name {
				t.Errorf("%s has the answer %q", name, claim.Answer.Body)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d claims in %d lives", len(said), rounds)
	if len(said) < rounds {
		t.Error("hardly a claim was made")
	}
}

func namedCall(name string) claims.Call {
	return claims.Call{Key: sha256.Sum256([]byte(name)), Create: true}
}

// runAndKill runs a process that uses the store, kills it at some point, and notes what it
// reported: Unknown for claimed, Done for finished.
func runAndKill(t *testing.T, path string, round int, random *rand.Rand, said map[string]claims.State) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestFileIsUsedByAProcessThatIsKilled$",
		"-store.path="+path, fmt.Sprintf("-store.round=%d", round))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines, dying := bufio.NewScanner(out), false
	for lines.Scan() {
		var name, what string
		if n, _ := fmt.Sscan(lines.Text(), &what, &name); n != 2 {
			t.Errorf("the process said %q", lines.Text())
			break
		}
		if !dying {
			time.AfterFunc(time.Duration(random.Int64N(int64(200*time.Millisecond))), func() { _ = child.Process.Kill() })
			dying = true
		}
		said[name] = map[string]claims.State{"claimed": claims.Unknown, "done": claims.Done}[what]
	}
	_ = child.Process.Kill()
	_, _ = io.Copy(io.Discard, out)
	_ = child.Wait()
}

// Flags that make a test the process that is killed.
var (
	childPath  = flag.String("store.path", "", "file of the process that is killed")
	childRound = flag.Int("store.round", 0, "which life of it this is")
)

// TestFileIsUsedByAProcessThatIsKilled is that process.
func TestFileIsUsedByAProcessThatIsKilled(t *testing.T) {
	if *childPath == "" {
		return // TestFileSurvivesAKill runs it
	}
	s, err := Open(*childPath, storetest.Roomy(), storetest.Unbounded{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%d-%d-%d", *childRound, worker, i)
				claim, err := s.Begin(t.Context(), namedCall(name))
				if err != nil {
					continue
				}
				_, _ = os.Stdout.WriteString("claimed " + name + "\n")
				if s.Finish(t.Context(), claim, &claims.Answer{Status: 200, Body: []byte(name)}) == nil {
					_, _ = os.Stdout.WriteString("done " + name + "\n")
				}
			}
		}()
	}
	select {}
}
