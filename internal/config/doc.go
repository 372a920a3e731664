// Package config turns environment variables into a Config, or lists every mistake in
// them at once.
//
// The struct tags of Settings, and of the structs in it, are the only table of variables:
// loading, check, /config, the search for the nearest name, and the tests of
// config.example.env and of the documented table all read it.
//
// Loading has four steps. Each variable gets its text: from the environment, from a file
// for a secret, or from its default. The texts are parsed into the struct in one call of
// github.com/caarlos0/env. Each value is held to the bounds in its tags. The values are
// held against each other. Every step adds to one list of mistakes, which names variables
// and never shows a secret.
package config
