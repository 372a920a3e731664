package config

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

func (l *loading) warn(text string) { l.Warnings = append(l.Warnings, text) }

// warnOfDoubts warns of what starts all the same: a spool directory that is not needed for
// small bodies, and texts that are allowed but hardly meant.
func (l *loading) warnOfDoubts() {
	if !l.found.have(Prefix+"SPOOL_DIR", Prefix+"SPOOL_MAX") {
		if err := spool.Probe(l.Bodies); err != nil {
			l.warn("request bodies cannot be spooled to " + cmp.Or(l.Bodies.Dir, os.TempDir()) + ": " + reason(err).Error() +
				"; those over " + Prefix + "BODY_MEMORY are kept in memory while there is room, then refused; " + Prefix + "SPOOL_DIR names another directory")
		}
	}
	for i := range l.variables {
		if v := &l.variables[i]; hasSemicolons(v) {
			l.warn(v.given + " has a semicolon: its entries are separated by commas")
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

// probeStore notes a store that cannot be opened, and warns of one that may come back.
func (l *loading) probeStore(ctx context.Context) {
	if l.found.have(Prefix + "STORE") {
		return
	}
	err := store.Try(ctx, l.Store)
	switch {
	case err == nil:
	case store.InUse(err):
		l.warn(Prefix + "STORE: " + err.Error() + "; a second one cannot start with it")
	case l.Store.Spec.Remote():
		l.warn(Prefix + "STORE: " + err.Error() + "; until it answers, calls with a key are not stored, and creates with one are refused")
	default:
		l.found.add(Prefix+"STORE", "", "want a store that can be opened: "+err.Error())
	}
}
