// Package lazyregexp has regular expressions that are compiled when they are first used.
//
// Those that read errors are many, and compiling them all took a fifth of the start's time and
// a quarter of an idle process's heap, although most processes never need most of them. It has
// the methods of regexp.Regexp that those use.
package lazyregexp

import (
	"os"
	"regexp"
	"strings"
	"sync"
)

// Regexp is an expression that is compiled once, when it is first used. Make it with New. Safe
// for concurrent use.
type Regexp struct{ compiled func() *regexp.Regexp }

// inTest says that this is a test binary.
var inTest = len(os.Args) > 0 && strings.HasSuffix(strings.TrimSuffix(os.Args[0], ".exe"), ".test")

// New returns the expression of text. If that is none, its first use panics; in a test, New
// does, so that no wrong one gets further.
func New(text string) *Regexp {
	re := &Regexp{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
	if inTest {
		re.compiled()
	}
	return re
}

// MatchString is regexp.Regexp's.
func (re *Regexp) MatchString(s string) bool { return re.compiled().MatchString(s) }

// FindStringIndex is regexp.Regexp's.
func (re *Regexp) FindStringIndex(s string) []int { return re.compiled().FindStringIndex(s) }

// FindStringSubmatch is regexp.Regexp's.
func (re *Regexp) FindStringSubmatch(s string) []string { return re.compiled().FindStringSubmatch(s) }

// FindStringSubmatchIndex is regexp.Regexp's.
func (re *Regexp) FindStringSubmatchIndex(s string) []int {
	return re.compiled().FindStringSubmatchIndex(s)
}

// FindAllStringIndex is regexp.Regexp's.
func (re *Regexp) FindAllStringIndex(s string, n int) [][]int {
	return re.compiled().FindAllStringIndex(s, n)
}

// FindAllStringSubmatch is regexp.Regexp's.
func (re *Regexp) FindAllStringSubmatch(s string, n int) [][]string {
	return re.compiled().FindAllStringSubmatch(s, n)
}

// FindAllStringSubmatchIndex is regexp.Regexp's.
func (re *Regexp) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return re.compiled().FindAllStringSubmatchIndex(s, n)
}
