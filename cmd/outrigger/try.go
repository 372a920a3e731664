package main

import (
	"cmp"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"

	"outrigger/proxy/idempotency/store"
	"outrigger/proxy/spool"
)

// try loads the configuration and tries what it names, for check.
func try(ctx context.Context, environ []string) (*settings, error) {
	s, found := read(environ)
	s.doubt(found)
	s.tryStore(ctx, found)
	return s, found.join()
}

// ready is try for serve, which opens the store itself: it is tried only beside other
// mistakes, so that all are told at once.
func ready(ctx context.Context, environ []string) (*settings, error) {
	s, found := read(environ)
	s.doubt(found)
	if len(found.all) > 0 {
		s.tryStore(ctx, found)
	}
	return s, found.join()
}

func (s *settings) warn(text string) { s.Warnings = append(s.Warnings, text) }

// doubt warns of what starts all the same: a spool directory that is not needed for
// small bodies, and texts that are allowed but hardly meant.
func (s *settings) doubt(found *mistakes) {
	if !found.have(prefix+"SPOOL_DIR", prefix+"SPOOL_MAX") {
		if err := spool.Probe(s.Bodies); err != nil {
			s.warn("request bodies cannot be spooled to " + cmp.Or(s.Bodies.Dir, os.TempDir()) + ": " + reason(err).Error() +
				"; those over " + prefix + "BODY_MEMORY are kept in memory while there is room, then refused; " + prefix + "SPOOL_DIR names another directory")
		}
	}
	for i := range s.Variables {
		if v := &s.Variables[i]; hasSemicolons(v) {
			s.warn(v.given + " has a semicolon: its entries are separated by commas")
		}
	}
}

// hasSemicolons reports whether v is a list in which semicolons may, but hardly do,
// belong to the entries. Lists where they cannot are refused for them.
func hasSemicolons(v *variable) bool {
	switch {
	case strings.HasSuffix(v.Name, "_CLIENT_TOKENS"):
		return strings.Contains(v.Text, ";")
	case strings.HasSuffix(v.Name, "_QUERY"):
		return secondParameter.MatchString(v.Text)
	case strings.HasSuffix(v.Name, "_HEADERS"):
		return slices.ContainsFunc(strings.Split(v.Text, ","), func(entry string) bool {
			name, _, _ := strings.Cut(entry, "=")
			return !strings.EqualFold(strings.TrimSpace(name), "Cookie") && secondHeader.MatchString(entry)
		})
	}
	return false
}

var (
	secondParameter = regexp.MustCompile(`;[^=,;]+=`)
	// secondHeader knows a header by its hyphen: parameters of values, such as charset
	// and q, have none.
	secondHeader = regexp.MustCompile(`;\s*[A-Za-z0-9]+-[A-Za-z0-9-]+=`)
)

// tryStore notes a store that cannot be opened, and warns of one that may come back.
func (s *settings) tryStore(ctx context.Context, found *mistakes) {
	if found.have(prefix + "STORE") {
		return
	}
	err := store.Try(ctx, s.Store)
	switch {
	case err == nil:
	case store.InUse(err):
		s.warn(prefix + "STORE: " + err.Error() + "; a second one cannot start with it")
	case s.Store.Spec.Remote():
		s.warn(prefix + "STORE: " + err.Error() + "; until it answers, calls with a key are not stored, and creates with one are refused")
	default:
		found.add(prefix+"STORE", "", "want a store that can be opened: "+err.Error())
	}
}
