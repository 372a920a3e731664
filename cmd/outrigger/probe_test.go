package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"outrigger/test/redisserver"
)

// runReal runs a command of the real program and returns its exit code and all it printed.
func runReal(t *testing.T, command string, environ ...string) (int, string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], command)
	c.Env = append([]string{beOutrigger + "=1", "TMPDIR=" + t.TempDir(), "HOME=" + t.TempDir(), "GORACE=halt_on_error=1"}, environ...)
	output, err := c.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended { //nolint:errorlint // it comes unwrapped
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(output)
}

func writeTemp(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStartAndCheckTellEveryMistakeAtOnce(t *testing.T) {
	damaged := writeTemp(t, strings.Repeat("no database ", 1000))
	environ := []string{
		"OUTRIGGER_UPSTREAMS=a=http://localhost:8383,b=https://b.example/v1/chat/completions,c=https://c.example;d=https://d.example,e=https://NAME.openai.azure.com",
		`OUTRIGGER_UPSTREAM_A_API_KEY="sk-k"`, "OUTRIGGER_UPSTREAM_B_API_KEY=Bearer sk-k",
		"OUTRIGGER_UPSTREAM_C_API_KEY=<your key>", "OUTRIGGER_UPSTREAM_E_API_KEY=${OPENAI_API_KEY}",
		"OUTRIGGER_SPOOL_DIR=/proc/self/nowhere", "OUTRIGGER_STORE=file:" + damaged, "OUTRIGGER_ZZZ=1",
	}
	want := `outrigger: 11 mistakes in the configuration:
  OUTRIGGER_UPSTREAMS="b=…": want a URL that ends before the call's path, such as https://api.openai.com/v1: what apps call is put behind it
  OUTRIGGER_UPSTREAMS="c=…": want entries separated by commas, not semicolons
  OUTRIGGER_UPSTREAMS="e=…": want your own value where the URL still has a placeholder, such as NAME or REGION
  OUTRIGGER_UPSTREAM_A_API_KEY: want it without the quotes around it
  OUTRIGGER_UPSTREAM_E_API_KEY: want a value: it still names a variable or template that was to be replaced
  OUTRIGGER_UPSTREAM_B_API_KEY: want a key alone, without a scheme such as Bearer in front: it is added where it belongs
  OUTRIGGER_UPSTREAM_C_API_KEY: want a key in place of the placeholder that stands there
  OUTRIGGER_UPSTREAMS="a=…": want the API's own URL: this one is OUTRIGGER_LISTEN, so that requests would go in a circle
  OUTRIGGER_SPOOL_DIR="/proc/self/nowhere": want a directory that files can be written in: no such file or directory
  OUTRIGGER_ZZZ: no such variable; config.example.env lists all
  OUTRIGGER_STORE: want a store that can be opened: the store of idempotent answers cannot be used: file:` + damaged + `: it is no bbolt file, or its first pages are damaged; it is left as it is: move it away to start anew, and what it remembers is forgotten
`
	for _, command := range []string{"check", "serve"} {
		code, got := runReal(t, command, environ...)
		if code != exitUsage || got != want {
			t.Errorf("%s: exit code %d\n%s\nwant 2 and\n%s", command, code, got, want)
		}
	}
}

func TestADefaultSpoolDirectoryThatCannotBeWrittenToIsTold(t *testing.T) {
	const reason = "request bodies cannot be spooled to /proc/self/nowhere: no such file or directory"
	code, got := runReal(t, "check", "TMPDIR=/proc/self/nowhere")
	if code != exitOK || !strings.Contains(got, "\nwarning: "+reason) {
		t.Errorf("check: exit code %d\n%s", code, got)
	}
	for _, fine := range [][]string{{}, {"TMPDIR=/proc/self/nowhere", "OUTRIGGER_SPOOL_MAX=0"}} {
		if code, got := runReal(t, "check", fine...); code != exitOK || strings.Contains(got, "warning: ") {
			t.Errorf("check with %q: exit code %d\n%s", fine, code, got)
		}
	}

	var arrived int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[]}`)
	}))
	defer upstream.Close()
	p := startProcess(t, "TMPDIR=/proc/self/nowhere", "OUTRIGGER_UPSTREAMS=a="+upstream.URL)
	if !strings.Contains(p.output(), reason) || !strings.Contains(p.output(), `"level":"WARN"`) {
		t.Errorf("it did not tell %s:\n%s", reason, p.output())
	}
	// What had been refused with 503 is kept in memory.
	body := `{"model":"m","input":"` + strings.Repeat("x", 5<<20) + `"}`
	response, err := http.Post("http://"+p.traffic+"/v1/embeddings", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || arrived != int64(len(body)) {
		t.Errorf("status %d, %d bytes arrived of %d", response.StatusCode, arrived, len(body))
	}
	told := p.awaitLog("request bodies cannot be spooled to disk: they are kept in memory while there is room")
	if text, _ := told["error"].(string); told["level"] != "WARN" || !strings.Contains(text, "no such file or directory") {
		t.Errorf("told %v", told)
	}
}

// A Redis may come back: it is told, and the process starts.
func TestARedisThatDoesNotAnswerIsToldAtTheStart(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, by its backlog, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, at := range map[string]string{"refused": address, "silent": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			code, got := runReal(t, "check", "OUTRIGGER_STORE=redis://user:hunter2@"+at)
			if code != exitOK || !strings.Contains(got, "\nwarning: OUTRIGGER_STORE: ") || strings.Contains(got, "hunter2") {
				t.Errorf("check: exit code %d\n%s", code, got)
			}
			p := startProcess(t, "OUTRIGGER_STORE=redis://user:hunter2@"+at)
			if !strings.Contains(p.output(), toldAway) { // else it came before the listeners were there
				p.awaitLog(toldAway)
			}
			if strings.Contains(p.output(), "hunter2") {
				t.Error("the log has the password")
			}
		})
	}
}

// toldAway is what the log says of a store that does not answer.
const toldAway = "the idempotency store does not answer: calls with a key are not stored, and creates refused"

func TestAStoreInUseIsToldByCheckAndKeepsASecondProcessFromStarting(t *testing.T) {
	environ := "OUTRIGGER_STORE=file:" + filepath.Join(t.TempDir(), "store.db")
	p := startProcess(t, environ)
	if code, got := runReal(t, "check", environ); code != exitOK || !strings.Contains(got, "in use by another process") {
		t.Errorf("check: exit code %d\n%s", code, got)
	}
	code, got := runReal(t, "serve", environ, "OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=off")
	if code != exitError || !strings.Contains(got, "in use by another process") {
		t.Errorf("serve: exit code %d\n%s", code, got)
	}
	_ = p
}

func TestCheckMakesNoStore(t *testing.T) {
	directory := t.TempDir()
	if code, got := runReal(t, "check", "OUTRIGGER_STORE=file:"+directory+"/store.db"); code != exitOK || strings.Contains(got, "warning: ") {
		t.Errorf("exit code %d\n%s", code, got)
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// The server of a fleet may come back or be repaired: check says what is wrong, and starting
// does not depend on it.
func TestCheckTellsWhatIsWrongWithTheServerOfAFleet(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := closed.Addr().String()
	closed.Close()
	locked := redisserver.StartKind(t, redisserver.Redis, "--requirepass", "right").Addr
	old := oldRedis(t)
	const open, wait = "; until it can be used, each sidecar keeps to its share of each limit\n", "; until it can be used, requests wait, for OUTRIGGER_FLEET_FAIL is closed\n"
	for name, tt := range map[string]struct {
		environ []string
		want    []string
	}{
		"unreachable":    {[]string{"OUTRIGGER_REDIS_URL=redis://:hunter2@" + gone}, []string{"redis://" + gone + " cannot be reached: ", open}},
		"wrong password": {[]string{"OUTRIGGER_REDIS_URL=redis://:hunter2@" + locked}, []string{"redis://" + locked + " rejects user or password: ", open}},
		"too old": {
			[]string{"OUTRIGGER_REDIS_URL=redis://" + old, "OUTRIGGER_FLEET_FAIL=closed"},
			[]string{"redis://" + old + " is too old: use Redis 6 or later, or Valkey (it is 5.0.7)", wait},
		},
		"fine": {[]string{"OUTRIGGER_REDIS_URL=redis://:right@" + locked}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := runReal(t, "check", tt.environ...)
			if warned := strings.Contains(got, "\nwarning: OUTRIGGER_REDIS_URL: "); code != exitOK || warned != (tt.want != nil) {
				t.Errorf("exit code %d\n%s", code, got)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in\n%s", want, got)
				}
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("it tells the password:\n%s", got)
			}
		})
	}
	code, got := runReal(t, "check", "OUTRIGGER_REDIS_URL=redis://:hunter2@redis:x")
	if code != exitUsage || !strings.Contains(got, "  OUTRIGGER_REDIS_URL: not a Redis URL: want a port") || strings.Contains(got, "hunter2") {
		t.Errorf("a wrong URL: exit code %d\n%s", code, got)
	}
}

// oldRedis answers INFO as Redis 5 does, and knows no other command.
func oldRedis(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				buffer := make([]byte, 4096)
				for {
					n, err := connection.Read(buffer)
					if err != nil {
						return
					}
					answer := "-ERR unknown command\r\n"
					if strings.Contains(strings.ToLower(string(buffer[:n])), "\ninfo\r\n") {
						answer = "$39\r\n# Server\r\nredis_version:5.0.7\r\nrole:m\r\n\r\n"
					}
					_, _ = io.WriteString(connection, answer)
				}
			}()
		}
	}()
	return listener.Addr().String()
}
