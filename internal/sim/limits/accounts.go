package limits

import (
	"slices"
	"sync"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// Account says that a credential is refused for reasons of money or identity.
type Account struct {
	Credential string        `json:"credential" doc:"API key; a trailing * matches a prefix"`
	Row        string        `json:"row" doc:"provider/name of the refusal; empty restores the credential"`
	For        time.Duration `json:"for" doc:"how long, 0 = until it is restored"`
}

// Accounts are the credentials that are refused. Later ones go before earlier ones. The zero
// value refuses none. It is safe for concurrent use.
type Accounts struct {
	mu  sync.Mutex
	all []frozen
}

type frozen struct {
	Account
	until time.Time // zero = until it is restored
}

// Validate reports a row that does not exist, wrapping fault.ErrRow.
func (a Account) Validate() error {
	if a.Row == "" {
		return nil
	}
	_, err := fault.FindRow(a.Row)
	return err
}

// Replace refuses the credentials on the list from now on, and no others.
func (a *Accounts) Replace(list []Account, now time.Time) {
	a.mu.Lock()
	a.all = nil
	a.mu.Unlock()
	for _, x := range list {
		a.Set(x, now)
	}
}

// Set refuses a credential from now on, or restores it when x.Row is empty.
func (a *Accounts) Set(x Account, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = slices.DeleteFunc(a.all, func(f frozen) bool { return f.Credential == x.Credential })
	if x.Row == "" {
		return
	}
	f := frozen{Account: x}
	if x.For > 0 {
		f.until = now.Add(x.For)
	}
	a.all = append(a.all, f)
}

// Row returns the refusal that the credential gets now, or "".
func (a *Accounts) Row(credential string, now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range slices.Backward(a.all) {
		if meter.Match(f.Credential, credential) && (f.until.IsZero() || now.Before(f.until)) {
			return f.Row
		}
	}
	return ""
}

// List returns the refused credentials, also those whose time is over. It is never nil.
func (a *Accounts) List() []Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []Account{}
	for _, f := range a.all {
		out = append(out, f.Account)
	}
	return out
}
