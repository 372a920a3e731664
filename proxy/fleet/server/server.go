package server

import (
	"outrigger/internal/values"

	goredis "github.com/redis/go-redis/v9"
)

// Prefix starts every key of the fleet. Access advises a rule that allows keys with it only.
const Prefix = "outrigger:fleet:"

// Access is what an ACL rule must say for a user that the fleet uses: ACL SETUSER name on
// >password, then this.
const Access = "~" + Prefix + "* &outrigger:fleet:* +@read +@write +publish +subscribe -@dangerous +eval +evalsha +time +info +ping +select +cluster|slots"

// Server is a Redis or Valkey and how to reach it. Use Parse; the zero value is no server.
type Server struct {
	// URL is as Parse got it. It may hold passwords.
	URL values.Secret
	// Name is the URL without user, password, database and options.
	Name string

	cluster bool
	options *goredis.UniversalOptions // never changed after Parse
}

// IsZero reports whether s is no server.
func (s Server) IsZero() bool { return s.options == nil }

// String returns the name.
func (s Server) String() string { return s.Name }
