package sim

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"time"

	"outrigger/internal/sim/api"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/limits"
	"outrigger/internal/sim/meter"
)

// Style is how rate limits are told: see package limits.
type Style = limits.Style

// Account is a credential that is refused: see package limits.
type Account = limits.Account

// Capacity is how many requests the upstream works on at once: see package limits.
type Capacity = limits.Capacity

// Concurrency is a limit of requests in progress: see package limits.
type Concurrency = limits.Concurrency

// The styles. OpenAI is the default.
const (
	OpenAI    = limits.OpenAI
	Azure     = limits.Azure
	Groq      = limits.Groq
	Anthropic = limits.Anthropic
	NoHeaders = limits.NoHeaders
)

// Errors that the methods of Capacity and Concurrency wrap.
var (
	ErrCapacity    = limits.ErrCapacity
	ErrConcurrency = limits.ErrConcurrency
)

// TokenCost is how a request is charged: see package api.
type TokenCost = api.TokenCost

// The ways to charge. Max is the default.
const (
	Max = api.Max
	Sum = api.Sum
)

// Config is what New needs. The zero value is a quick upstream without limits or
// faults that accepts every credential and model.
type Config struct {
	// Seed decides every random choice: ids, and which requests meet a fault by chance.
	Seed uint64

	// Latency is the time from the end of the request body to the first byte of
	// a good answer. TokenDelay is added for every token: before each event of a
	// stream that carries one, and before the whole of a JSON answer.
	Latency, TokenDelay time.Duration
	// Network is the one-way delay, waited before a request is looked at and again
	// before anything is sent.
	Network time.Duration
	// Tokens is the length of an answer, unless the request allows fewer. 0 means 16.
	Tokens int

	// Models are the models that exist; others get 404. Empty: every name does.
	Models []string
	// Keys are the credentials that exist; others get 401. Empty: any one will do.
	Keys []string
	// Accounts are credentials that get an error instead of work.
	Accounts []Account
	// Organization is named in refusals. Empty means "org-simulated".
	Organization string

	// Limits: the first that matches a request applies. Charge says what a
	// request costs in tokens, Style how limits are announced.
	Limits []meter.Limit
	Charge TokenCost
	Style  Style

	// Capacity is the most requests in progress at once, 0 = no bound. Those above
	// get CapacityRow, by default openai/503_server_is_overloaded.
	// Each refusal takes RefusalCost of the time that one place needs for an answer
	// (Latency, and TokenDelay for Tokens) from the requests in progress: with more
	// than 0, overload feeds on itself.
	Capacity    int
	CapacityRow string
	RefusalCost float64

	// Concurrency bounds the requests in progress per credential and model: the first
	// that matches a request applies.
	Concurrency []Concurrency

	// Faults are in force from the start, the first that strikes a request applies.
	Faults []fault.Rule

	// JobTime is how long a batch or a background response takes. 0 means 2 s.
	JobTime time.Duration

	// LedgerSize is the number of requests remembered, 0 means ledger.DefaultSize.
	LedgerSize int
	// BodyMax is the largest JSON body, 0 means 64 MiB; larger ones get 413.
	// Uploads are read to their end whatever their size.
	BodyMax int64
	// StoreMax bounds the bytes of uploaded files that are kept, the oldest go
	// first; 0 means 256 MiB. Of a larger file only size and digest are kept.
	StoreMax int64

	// Listen makes the listeners of Start and those that follow Refuse(false).
	// Nil means net.Listen on tcp. Tests give listeners without sockets here.
	Listen func(addr string) (net.Listener, error)
}

// ErrConfig is wrapped by every error of Config.Validate.
var ErrConfig = errors.New("bad simulator configuration")

// Validate reports every mistake, each wrapping ErrConfig.
func (c Config) Validate() error {
	var all []error
	bad := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	for _, l := range c.Limits {
		if err := validateLimit(l); err != nil {
			bad("%w", err)
		}
	}
	for _, l := range c.Concurrency {
		if err := l.Validate(); err != nil {
			bad("%w", err)
		}
	}
	for _, r := range c.Faults {
		if err := r.Validate(); err != nil {
			bad("%w", err)
		}
	}
	for _, a := range c.Accounts {
		if err := a.Validate(); err != nil {
			bad("%w", err)
		}
	}
	if err := c.capacity().Validate(); err != nil {
		bad("%w", err)
	}
	switch c.Style {
	case "", OpenAI, Azure, Groq, Anthropic, NoHeaders:
	default:
		bad("style is %q, want openai, azure, groq, anthropic or none", c.Style)
	}
	switch c.Charge {
	case "", Max, Sum:
	default:
		bad("charge is %q, want max or sum", c.Charge)
	}
	if c.Latency < 0 || c.TokenDelay < 0 || c.Network < 0 || c.JobTime < 0 {
		bad("negative duration")
	}
	if c.Tokens < 0 || c.LedgerSize < 0 || c.BodyMax < 0 || c.StoreMax < 0 {
		bad("negative number")
	}
	return errors.Join(all...)
}

// capacity is what the configuration says of it.
func (c Config) capacity() Capacity {
	return Capacity{Limit: c.Capacity, Row: c.CapacityRow, RefusalCost: c.RefusalCost}
}

// api is what the endpoints are to know of it.
func (c Config) api() api.Config {
	return api.Config{
		Seed: c.Seed, Models: c.Models, Keys: c.Keys, Tokens: c.Tokens, Charge: c.Charge,
		TokenDelay: c.TokenDelay, JobTime: c.JobTime, BodyMax: c.BodyMax, StoreMax: c.StoreMax,
	}
}

// validateLimit checks the row too, which package meter does not know.
func validateLimit(l meter.Limit) error {
	if err := l.Validate(); err != nil {
		return err
	}
	if err := limits.CheckRow(l.Row); err != nil {
		return fmt.Errorf("%w: %w", meter.ErrLimit, err)
	}
	return nil
}

// withDefaults fills in what zero stands for.
func (c Config) withDefaults() Config {
	c.Tokens = cmp.Or(c.Tokens, 16)
	c.Organization = cmp.Or(c.Organization, "org-simulated")
	c.Charge = cmp.Or(c.Charge, Max)
	c.Style = cmp.Or(c.Style, OpenAI)
	c.CapacityRow = cmp.Or(c.CapacityRow, limits.DefaultCapacityRow)
	c.JobTime = cmp.Or(c.JobTime, 2*time.Second)
	c.BodyMax = cmp.Or(c.BodyMax, 64<<20)
	c.StoreMax = cmp.Or(c.StoreMax, 256<<20)
	if c.Listen == nil {
		c.Listen = func(addr string) (net.Listener, error) {
			return net.Listen("tcp", addr) //nolint:noctx // listening does not wait
		}
	}
	return c
}
