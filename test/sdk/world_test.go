package sdk

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"outrigger/proxy/authority"
	"outrigger/test/process"
)

// key is what the clients call with.
const key = "sk-test-of-the-clients"

// world is the simulated upstream and Outrigger in front of it, a process each.
type world struct {
	upstream, traffic, admin string    // base URLs, without /v1
	authority                string    // file of Outrigger's own, for those who trust it
	outside                  *internet // beyond Outrigger, where calls come by HTTPS_PROXY
	outrigger                *process.Process
}

// troubles are what the simulator is told to make, in the JSON of its control
// endpoint: fault rules, rate limits; and how long it takes to answer.
type troubles struct{ faults, limits, latency string }

// start runs both, for the client's way to call. Settings are Outrigger's variables
// without their prefix, on top of short waits and the defaults.
func (c client) start(t *testing.T, made troubles, settings map[string]string) *world {
	t.Helper()
	binary := process.Binary(t)
	upstream, traffic, admin := process.FreeAddress(t), process.FreeAddress(t), process.FreeAddress(t)
	w := &world{upstream: "http://" + upstream, traffic: "http://" + traffic, admin: "http://" + admin}

	sim := process.Start(t, nil, binary, "sim", "-listen", upstream, "-latency", cmp.Or(made.latency, "0s"))
	sim.Ready(t, w.upstream+"/_sim/")
	put(t, w.upstream+"/_sim/faults", made.faults)
	put(t, w.upstream+"/_sim/limits", made.limits)

	all := map[string]string{
		"LISTEN": traffic, "ADMIN_LISTEN": admin, "UPSTREAMS": "openai=" + w.upstream,
		"RETRY_BASE": "10ms", "RETRY_CAP": "50ms",
	}
	var environment []string
	all["CA_DIR"] = t.TempDir()
	w.authority = authority.File(all["CA_DIR"])
	if c.way == byProxy {
		w.outside = newInternet(t, upstream)
		all["UPSTREAMS"], all["INTERCEPT"] = "", "on" // the default: api.openai.com
		environment = append(environment, "HTTPS_PROXY="+w.outside.proxy, "SSL_CERT_FILE="+w.outside.roots, "SSL_CERT_DIR=/nowhere")
	}
	maps.Copy(all, settings)
	for name, value := range all {
		environment = append(environment, "OUTRIGGER_"+name+"="+value)
	}
	w.outrigger = process.Start(t, environment, binary)
	w.outrigger.Ready(t, w.admin+"/readyz")
	return w
}

// base is what OPENAI_BASE_URL is set to.
func (w *world) base() string { return w.traffic + "/v1" }

// called returns how many requests the clients made of Outrigger, and how many
// attempts and carried out works those became at the upstream.
func (w *world) called(t *testing.T) counts {
	t.Helper()
	c := counts{outrigger: int(w.metric(t, "outrigger_requests_total")), again: int(w.metric(t, "outrigger_client_retries_total"))}
	for _, e := range w.ledger(t) {
		c.upstream++
		if e.Work {
			c.works++
		}
	}
	return c
}

type counts struct {
	outrigger int // requests that clients made
	again     int // of them, repeats by the SDK's own retries
	upstream  int // attempts that reached the upstream
	works     int // of them, those that were carried out
}

// entry is a line of the simulator's ledger.
type entry struct {
	Done     bool          `json:"done"`
	Work     bool          `json:"work"`
	Status   int           `json:"status"`
	Duration time.Duration `json:"duration_ns"`
}

func (w *world) ledger(t *testing.T) []entry {
	t.Helper()
	var all struct {
		Entries []entry `json:"entries"`
	}
	if err := json.Unmarshal([]byte(get(t, w.upstream+"/_sim/ledger?last=0")), &all); err != nil {
		t.Fatal(err)
	}
	return all.Entries
}

// metric adds up a metric over its labels.
func (w *world) metric(t *testing.T, name string) float64 {
	t.Helper()
	sum := 0.0
	for lines := bufio.NewScanner(strings.NewReader(get(t, w.admin+"/metrics"))); lines.Scan(); {
		series, value, _ := strings.Cut(lines.Text(), " ")
		if metric, _, _ := strings.Cut(series, "{"); metric != name {
			continue
		}
		n, err := strconv.ParseFloat(value[strings.LastIndex(value, " ")+1:], 64)
		if err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		sum += n
	}
	return sum
}

func get(t *testing.T, url string) string {
	t.Helper()
	return ask(t, http.MethodGet, url, "")
}

func put(t *testing.T, url, body string) {
	t.Helper()
	if body != "" {
		ask(t, http.MethodPut, url, body)
	}
}

// ask returns the body of a 200 answer.
func ask(t *testing.T, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d: %s", method, url, response.StatusCode, answer)
	}
	return string(answer)
}
