// Package settings holds every setting of the request path, with its environment variable,
// default and range.
//
// Its center is Config. The tags of its fields name the variables without their OUTRIGGER_
// prefix. internal/config reads them, so that no second copy of a setting exists. Nothing
// here reads the environment.
//
// Text that may hold a secret is a values.Secret or a Pair: no formatter prints it.
package settings
