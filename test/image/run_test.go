package image

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"outrigger/test/process"
)

// contained wraps a command of the image: a mount namespace of its own in which
// the directory is a read-only root with a writable /tmp and nothing else, the
// image's user, no capabilities, and no way to gain any. All of it is exec, so the
// process that is started is the one that gets the signals.
const contained = `
mount --bind "$0" "$0"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$0/tmp"
mount -o remount,ro,bind "$0"
exec setpriv --no-new-privs --bounding-set=-all,+setuid,+setgid,+sys_chroot chroot --userspec=65532:65532 --groups= "$0" "$@"`

// contain returns the command line that runs the image's command in directory.
func contain(directory string, command ...string) []string {
	return append([]string{"-m", "--propagation", "private", "sh", "-ec", contained, directory}, command...)
}

func needNamespaces(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		process.Missing(t, "running the image's layout needs Linux")
	}
	process.NeedRoot(t, "who may make a mount namespace")
	for _, tool := range []string{"unshare", "setpriv", "chroot"} {
		if _, err := exec.LookPath(tool); err != nil {
			process.Missing(t, "running the image's layout needs %s", tool)
		}
	}
	if output, err := exec.CommandContext(t.Context(), "unshare", "-m", "true").CombinedOutput(); err != nil {
		process.Missing(t, "no mount namespace to be had: %v %s", err, output)
	}
}

func TestTheImageServesAsItsUserOnAReadOnlyRoot(t *testing.T) {
	needNamespaces(t)
	image := lay(t)
	listen, admin := process.FreeAddress(t), process.FreeAddress(t)

	// The body is over OUTRIGGER_BODY_MEMORY, so while the upstream has it, it lies in /tmp.
	var served *process.Process
	var spooled []string
	body := strings.Repeat("outrigger ", 1<<17)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil || string(got) != body {
			http.Error(w, "not what was sent", http.StatusBadRequest)
			return
		}
		spooled = openUnder(t, served.PID(), "/tmp/")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[]}`)
	}))
	defer upstream.Close()

	environment := []string{
		"OUTRIGGER_LISTEN=" + listen,
		"OUTRIGGER_ADMIN_LISTEN=" + admin,
		"OUTRIGGER_UPSTREAMS=openai=" + upstream.URL,
		"OUTRIGGER_BODY_MEMORY=64KiB",
	}
	served = process.Start(t, environment, "unshare", contain(image, "/outrigger")...)
	served.Ready(t, "http://"+admin+"/readyz")

	facts := status(t, served.PID())
	for name, want := range map[string]string{"Uid": "65532", "Gid": "65532", "Groups": "", "CapEff": "0000000000000000", "NoNewPrivs": "1"} {
		if got, _, _ := strings.Cut(facts[name], "\t"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}

	if got := mounts(t, served.PID()); !strings.HasPrefix(got["/"], "ro,") || !strings.HasPrefix(got["/tmp"], "rw,") || len(got) != 2 {
		t.Errorf("mounts are %v, want a read-only / and a writable /tmp alone", got)
	}

	health := process.Start(t, environment, "unshare", contain(image, "/outrigger", "healthcheck")...)
	if status := health.Wait(t); status != 0 {
		t.Errorf("healthcheck ended with %d: %s", status, health.Output())
	}

	answer := post(t, "http://"+listen+"/v1/embeddings", body)
	if want := `{"object":"list","data":[]}`; answer != want {
		t.Errorf("answer is %q, want %q", answer, want)
	}
	if len(spooled) == 0 {
		t.Error("a body of 1.25 MiB was not spooled to /tmp")
	}
	if status := served.Stop(t); status != 0 {
		t.Errorf("SIGTERM ended it with status %d", status)
	}
}

func post(t *testing.T, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", response.StatusCode, got)
	}
	return string(got)
}

// openUnder lists the files under a directory that the process has open, deleted ones too.
func openUnder(t *testing.T, pid int, directory string) []string {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Error(err)
	}
	var open []string
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.Contains(target, directory) {
			open = append(open, target)
		}
	}
	return open
}

// status reads the kernel's account of a process.
func status(t *testing.T, pid int) map[string]string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	facts := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^(\w+):\t(.*?)\s*$`).FindAllStringSubmatch(string(text), -1) {
		facts[line[1]] = line[2]
	}
	return facts
}

// mounts returns the options of each mount that the process sees, by path
// (proc(5), mountinfo: the fifth and sixth field).
func mounts(t *testing.T, pid int) map[string]string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 5 {
			list[fields[4]] = fields[5]
		}
	}
	return list
}
