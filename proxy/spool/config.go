package spool

import "outrigger/internal/values"

// Config bounds what bodies may take. The zero value refuses every body that is
// not empty: there are no hidden defaults, the tags hold them.
type Config struct {
	// BodyMemory is the longest body, in bytes, that is kept in memory; 0 spools all.
	BodyMemory values.Bytes `env:"BODY_MEMORY" envDefault:"1MiB" min:"0" max:"1073741824" doc:"a request body is kept in memory up to this size, and spooled to disk above it" restart:"true"`
	// BodyMax is the longest body, in bytes, that is taken at all.
	BodyMax values.Bytes `env:"BODY_MAX" envDefault:"1GiB" min:"1" max:"1099511627776" doc:"a request body above this size is refused with 413" restart:"true"`
	// MemoryMax bounds the memory, in bytes, of all bodies, peeks and held answers
	// together. Bodies that do not fit are spooled, which takes a little memory too.
	MemoryMax values.Bytes `env:"MEMORY_MAX" envDefault:"256MiB" min:"1048576" max:"1099511627776" doc:"memory of all requests together for bodies, peeks and held answers; bodies that do not fit are spooled" restart:"true"`
	// SpoolMax bounds the spool files, in bytes, of all bodies together; 0 spools none.
	SpoolMax values.Bytes `env:"SPOOL_MAX" envDefault:"10GiB" min:"0" max:"1125899906842624" doc:"disk space of all spool files together; 0 keeps bodies off the disk" restart:"true"`
	// Dir is where spool files are made; "" is the system's directory for
	// temporary files (TMPDIR, else /tmp).
	Dir string `env:"SPOOL_DIR" doc:"directory of the spool files, which have no name once they are open; unset: the system's temporary directory" restart:"true"`
}
