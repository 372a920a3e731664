package fleet

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"outrigger/policy/concurrency"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed lease.lua
var leaseText string

var leaseScript = goredis.NewScript(leaseText)

// ask is what the script is asked, as it reads it.
type ask struct {
	ID      string    `json:"id"`
	Late    float64   `json:"late"`
	Nonce   string    `json:"nonce"` // the epoch of an account that is new
	Epoch   string    `json:"epoch"`
	Version int64     `json:"version"`
	Pause   float64   `json:"pause"`
	TTL     int64     `json:"ttl"`
	Sent    [4]int64  `json:"sent"`
	Refused [4]int64  `json:"refused"`
	Flying  int       `json:"flying"`
	Queue   [3]int    `json:"queue"`
	More    bool      `json:"more"`
	Slots   []askSlot `json:"slots"`
	Calls   calls     `json:"calls"`
	// Refusals is the version of the cached refusals that the sender knows.
	Refusals string `json:"refusals"`

	RampSlot int     `json:"ramp_slot"`
	Ramp     int     `json:"ramp"`
	Step     float64 `json:"step"`
	Horizon  float64 `json:"horizon"`
	NoTold   float64 `json:"no_told"`
}

type askSlot struct {
	Slot  int     `json:"slot"`
	Speed float64 `json:"speed"`
	Burst int64   `json:"burst"`
	Ahead int64   `json:"ahead"`
	Level float64 `json:"level"`
	Told  float64 `json:"told"`
	Want  int64   `json:"want"`
	Head  int64   `json:"head"`
	Back  int64   `json:"back"`
}

// calls is a limit on calls in flight, 0 is none.
type calls struct {
	Limit   int   `json:"limit"`
	Source  int   `json:"source"`
	Version int64 `json:"version"`
	New     bool  `json:"new,omitempty"`
}

// reply is the script's.
type reply struct {
	Now      float64          `json:"now"`
	Late     bool             `json:"late"`
	Refusals string           `json:"refusals"`
	Epoch    string           `json:"epoch"`
	Version  int64            `json:"version"`
	Accepted bool             `json:"accepted"`
	Pause    float64          `json:"pause"`
	Again    float64          `json:"again"`
	Granted  map[string]int64 `json:"granted"`
	Sent     [4]int64         `json:"sent"`
	Refused  [4]int64         `json:"refused"`
	Waiting  int              `json:"waiting"`
	Flying   int              `json:"flying"`
	Calls    calls            `json:"calls"`
	Others   int              `json:"others"`
}

// errLate says that the server's clock is not where it was.
var errLate = errors.New("the server was late, or its clock moved")

// Lease implements admission.Fleet.
func (f *Fleet) Lease(of admission.Account, a admission.Ask, done func(admission.Lease, bool)) {
	f.counts.asked(of, a.Ask)
	f.background.Go(func() {
		r, err := f.lease(of, a)
		if errors.Is(err, errLate) || errors.Is(err, context.DeadlineExceeded) && f.ending.Err() == nil {
			r, err = f.lease(of, a) // one late answer is chance
		}
		switch {
		case err != nil:
			f.counts.results[resultFailed].Add(1)
			f.failed(err)
		case r.Granted != [limit.LeaseSlots]int64{}:
			f.counts.results[resultGranted].Add(1)
		case wants(a.Ask):
			f.counts.results[resultWaiting].Add(1)
		default:
			f.counts.results[resultReturned].Add(1)
		}
		done(r, err == nil)
		f.beats.touch(f)
	})
}

// lease asks once.
func (f *Fleet) lease(of admission.Account, a admission.Ask) (admission.Lease, error) {
	q := ask{
		ID: f.id, Late: f.late(), Nonce: nonce(), Epoch: a.Epoch, Version: a.Version, Pause: a.Pause.Seconds(), TTL: keep.Milliseconds(),
		Sent: a.Sent, Refused: a.Refused, Queue: [3]int{0, a.Queue, 0}, More: wants(a.Ask), Slots: make([]askSlot, len(a.Slots)),
		RampSlot: limit.LeaseSlots - 1, Refusals: f.refusals.version(of.Payer), Ramp: a.Ramp, Step: a.Step.Seconds(), Horizon: limit.LeaseTime.Seconds(), NoTold: limit.NoTold,
	}
	q.Flying, q.Calls = a.Flying, calls{a.Calls.Limit, int(a.Calls.Source), a.CallsVersion, a.CallsNew}
	for i, s := range a.Slots {
		q.Slots[i] = askSlot(s)
	}
	text, err := json.Marshal(q)
	if err != nil {
		return admission.Lease{}, fmt.Errorf("an ask cannot be written: %w", err)
	}
	var known []byte
	if a.Known != nil {
		if known, err = json.Marshal(a.Known); err != nil {
			return admission.Lease{}, fmt.Errorf("what was learned cannot be written: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(f.ending, timeout)
	defer cancel()
	start := time.Now()
	parts, err := f.eval(ctx, leaseScript, f.names(of), text, known)
	f.counts.trip.add(time.Since(start))
	if err != nil {
		return admission.Lease{}, err
	}
	return f.read(of, parts)
}

// read reads the script's reply.
func (f *Fleet) read(of admission.Account, parts []string) (admission.Lease, error) {
	var r reply
	if len(parts) < 2 {
		return admission.Lease{}, fmt.Errorf("the script replied %d parts", len(parts))
	}
	if err := json.Unmarshal([]byte(parts[0]), &r); err != nil {
		return admission.Lease{}, fmt.Errorf("the script's reply cannot be read: %w", err)
	}
	f.setClock(r.Now)
	if r.Late {
		return admission.Lease{}, errLate
	}
	if len(parts) > 2 || r.Refusals == "" {
		f.refusals.update(of.Payer, r.Refusals, parts[2:], r.Now)
	}
	l := admission.Lease{Flying: r.Flying, Calls: concurrency.Known{Limit: r.Calls.Limit, Source: concurrency.Evidence(min(max(r.Calls.Source, 0), int(concurrency.Named)))}, CallsVersion: r.Calls.Version, Lease: limit.Lease{
		Epoch: r.Epoch, Version: r.Version, Pause: seconds(r.Pause), Again: seconds(r.Again), Sent: r.Sent, Refused: r.Refused,
		Waiting: r.Waiting, Accepted: r.Accepted,
	}}
	for name, n := range r.Granted {
		if slot, err := strconv.Atoi(name); err == nil && slot >= 0 && slot < limit.LeaseSlots {
			l.Granted[slot] = n
		}
	}
	if parts[1] != "" {
		l.Known = &limit.Knowledge{}
		if err := json.Unmarshal([]byte(parts[1]), l.Known); err != nil {
			return admission.Lease{}, fmt.Errorf("what others learned cannot be read: %w", err)
		}
	}
	return l, nil
}

func wants(a limit.Ask) bool {
	if len(a.Slots) == 0 {
		return a.Queue > 0
	}
	for _, s := range a.Slots {
		if s.Want > 0 {
			return true
		}
	}
	return false
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
