package admission

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/proxy/wire"
)

// sharedQuotas moves the queues of one upstream that share a quota to one scheduler,
// and back should that prove wrong. Nil is one that leaves all as it is. Safe for concurrent
// use.
type sharedQuotas struct {
	tell     func(message string, fields []slog.Attr)
	upstream func() string
	lines    atomic.Int64 // there are; one alone has none to share with
	off      atomic.Bool  // none may share, see allow

	// moving is held while queues change their scheduler, and taken before a scheduler's
	// lock; mu after it.
	moving sync.Mutex
	mu     sync.Mutex
	seen   *limit.Siblings
}

// NewSharedQuotas returns what finds the queues of an upstream that share a quota. Tell is
// told when some do, or no longer do.
func NewSharedQuotas(tell func(string, []slog.Attr), upstream func() string, now time.Time) *sharedQuotas {
	return &sharedQuotas{tell: tell, upstream: upstream, seen: limit.NewSiblings(now)}
}

// MayShare reports whether queues with these settings may be found to share an account:
// what is configured is for each of them.
func MayShare(s limit.Settings) bool { return s.Learn && s.RPM == 0 && s.TPM == 0 }

// Sent notes that a request of ln is on the wire, and returns its number.
func (s *sharedQuotas) Sent(ln *Queue, now time.Time) uint64 {
	if s == nil || s.off.Load() || s.lines.Load() < 2 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.Sent(now, ln.sibling)
}

// answered takes in what an answer tells of the account, and moves queues if that makes
// something certain.
func (s *sharedQuotas) answered(ln *Queue, now time.Time, id uint64, told limit.Told) {
	if s == nil || id == 0 || s.off.Load() {
		return
	}
	s.mu.Lock()
	c := s.seen.Answered(now, ln.sibling, id, told.Refusal != nil, told.Quota())
	s.mu.Unlock()
	if c.Join != nil || c.Part != nil {
		s.arrange(now, slices.Concat(c.Join, c.Part))
	}
}

// arrange brings the queues of some to the turnstiles that they belong to by what is
// certain now: others may have found out more since.
func (s *sharedQuotas) arrange(now time.Time, some []*limit.Sibling) {
	s.moving.Lock()
	defer s.moving.Unlock()
	for _, m := range some {
		ln := m.Tag.(*Queue)
		group := s.group(ln)
		ts := ln.scheduler.Load()
		if i := slices.IndexFunc(ts.lines, func(x *Queue) bool { return !slices.Contains(group, x) }); i >= 0 {
			s.tell("limiters that shared an account do so no more", s.between(ln, ts.lines[i]))
			ts.split(ln, now)
		}
	}
	for _, m := range some {
		ln := m.Tag.(*Queue)
		group := s.group(ln)
		ts := group[0].scheduler.Load()
		if other := ln.scheduler.Load(); other != ts {
			ts.absorb(other, now)
			s.tell("limiters share an account", s.between(group[0], ln))
		}
	}
}

// allow says whether queues may be found to share an account. If they may no longer, each of
// them has a scheduler of its own again. Under Queues.mu.
func (s *sharedQuotas) allow(may bool, all map[Key]*Queue, now time.Time) {
	if s == nil || s.off.Swap(!may) == !may || may {
		return
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	for _, ln := range all {
		if ln.kin() == nil {
			continue
		}
		s.mu.Lock()
		s.seen.Forget(ln.sibling)
		s.mu.Unlock()
		if ts := ln.scheduler.Load(); len(ts.lines) > 1 {
			s.tell("limiters that shared an account do so no more", s.between(ln, ts.lines[0]))
			ts.split(ln, now)
		}
	}
}

// between names two queues without secrets.
func (s *sharedQuotas) between(a, b *Queue) []slog.Attr {
	return []slog.Attr{
		slog.String("upstream", s.upstream()),
		slog.GroupAttrs("one", slog.String("credential", a.key.Credential.Label()), slog.String("model", wire.LabelText(a.key.Model))),
		slog.GroupAttrs("other", slog.String("credential", b.key.Credential.Label()), slog.String("model", wire.LabelText(b.key.Model))),
	}
}

// group is who shares an account with ln, itself included, always in the same order.
func (s *sharedQuotas) group(ln *Queue) []*Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.seen.Sharing(ln.sibling)
	if len(all) == 0 {
		return []*Queue{ln}
	}
	lines := make([]*Queue, len(all))
	for i, m := range all {
		lines[i] = m.Tag.(*Queue)
	}
	return lines
}

// count notes that there are more queues or fewer.
func (s *sharedQuotas) count(n int64) {
	if s != nil {
		s.lines.Add(n)
	}
}

// add takes in a queue, remove forgets one, and reports whether its scheduler is gone
// with it.
func (s *sharedQuotas) add(ln *Queue) {
	if s != nil {
		ln.sharedQuotas, ln.sibling = s, &limit.Sibling{Tag: ln}
	}
}

func (s *sharedQuotas) remove(ln *Queue) bool {
	if s == nil {
		return true
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	s.mu.Lock()
	s.seen.Forget(ln.sibling)
	s.mu.Unlock()
	ts := ln.scheduler.Load()
	ts.remove(ln)
	return len(ts.lines) == 0
}

// ownerHeaders name whose key it is: OpenAI's organization and project
// (platform.openai.com/docs/api-reference/debugging-requests), and Anthropic's organization
// (docs.anthropic.com/en/api/overview, response headers).
var ownerHeaders = [...]string{"Openai-Organization", "Openai-Project", "Anthropic-Organization-Id"}

// ToldBy is what an answer tells about the account that it was made for.
func ToldBy(h http.Header, v classify.Verdict, headers limit.Headers, refusal *limit.Refusal) limit.Told {
	t := limit.Told{Headers: headers, Refusal: refusal}
	var owners []string
	for _, name := range ownerHeaders {
		owners = append(owners, h[name]...)
	}
	t.Organization = strings.Join(owners, "/")
	if refusal != nil {
		t.Account = v.Error.Account()
	}
	return t
}
