// Package top draws the state of a running Outrigger for a terminal: the facts of the status
// page, from /status.json and /requests.json.
//
// It reads them as any other program does. Run paints a frame each second; Frame is one of
// them, as text.
package top

import (
	"time"

	"outrigger/policy/verdict"
)

// status is what is read of /status.json.
type status struct {
	Time      time.Time       `json:"time"`
	Draining  bool            `json:"draining"`
	Inflight  int             `json:"inflight"`
	Memory    int64           `json:"body_memory_bytes"`
	Spool     int64           `json:"body_spool_bytes"`
	Upstreams []upstream      `json:"upstreams"`
	Verdict   verdict.Verdict `json:"verdict"`
	Store     struct {
		Name      string `json:"store"`
		Answers   bool   `json:"answers"`
		Running   int    `json:"running"`
		Abandoned int    `json:"abandoned"`
	} `json:"idempotency"`
	Totals totals `json:"totals"`
	Fleet  *fleet `json:"fleet"`
}

type totals struct {
	Since        time.Time `json:"since"`
	Requests     int64     `json:"requests"`
	Prevented    int64     `json:"failures_prevented"`
	NotMade      int64     `json:"calls_not_made"`
	QueueSeconds float64   `json:"queue_seconds"`
	Observed     *observed `json:"observed"` // nil in enforce mode
	Streams      struct {
		Open    int            `json:"open"`
		Ended   map[string]int `json:"ended"`
		Resumed int            `json:"resumed"`
	} `json:"streams"`
}

// observed is what enforce mode would have done.
type observed struct {
	Would        map[string]int64 `json:"would"`
	Failed       int64            `json:"failed"`
	Prevented    int64            `json:"failures_prevented"`
	Caused       int64            `json:"failures_caused"`
	NotMade      int64            `json:"calls_not_made"`
	QueueSeconds float64          `json:"queue_seconds"`
}

type fleet struct {
	Degraded bool      `json:"degraded"`
	Cause    string    `json:"cause"`
	Since    time.Time `json:"since"`
	Members  []struct {
		ID    string  `json:"id"`
		Queue int     `json:"queue"`
		Share float64 `json:"share"`
	} `json:"members"`
}

type upstream struct {
	Name        string  `json:"name"`
	URL         string  `json:"url"`
	Breaker     string  `json:"breaker"`
	Waiting     int     `json:"waiting_at_breaker"`
	Budget      int     `json:"retry_budget_remaining"`
	Scopes      []scope `json:"breakers"`
	Concurrency slots   `json:"concurrency"`
	Limits      []limit `json:"limiters"`
	Trips       []trip  `json:"tripped"`
	Streaks     []trip  `json:"refusal_streaks"`
}

type scope struct {
	Scope      string    `json:"scope"`
	Credential string    `json:"credential"`
	Breaker    string    `json:"breaker"`
	Since      time.Time `json:"since"`
	Waiting    int       `json:"waiting"`
}

type slots struct {
	Limit   int    `json:"limit"`
	Running int    `json:"running"`
	Source  string `json:"source"`
	Queue   int    `json:"queue"`
}

type limit struct {
	Credential  string `json:"credential"`
	Model       string `json:"model"`
	Concurrency slots  `json:"concurrency"`
	State       struct {
		Queue   int       `json:"queue"`
		Paused  time.Time `json:"gate_until"`
		Buckets []bucket  `json:"buckets"`
	} `json:"state"`
}

type bucket struct {
	Dimension string  `json:"dimension"`
	Limit     float64 `json:"limit"`
	Window    float64 `json:"window_seconds"`
	Source    string  `json:"source"`
	Remaining float64 `json:"remaining"`
}

type trip struct {
	Credential string    `json:"credential"`
	Model      string    `json:"model"`
	First      time.Time `json:"first"`
	Until      time.Time `json:"until"`
	Outcome    string    `json:"outcome"`
	Status     int       `json:"status"`
	Code       string    `json:"code"`
}

// requests is what is read of /requests.json.
type requests struct {
	Requests []request `json:"requests"`
}

type request struct {
	Start    time.Time `json:"start"`
	Took     float64   `json:"took_ms"`
	Endpoint string    `json:"endpoint"`
	Path     string    `json:"path"`
	Model    string    `json:"model"`
	Caller   string    `json:"caller"`
	Upstream string    `json:"upstream"`
	Status   int       `json:"status"`
	Outcome  string    `json:"outcome"`
	Attempts int       `json:"attempts"`
	Queue    float64   `json:"queue_ms"`
}
