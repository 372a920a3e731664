package settings

// HTTP2Mode says whether an upstream is spoken to in HTTP/2. The zero value means HTTP2Auto.
type HTTP2Mode string

// The modes.
const (
	// HTTP2Auto speaks it where the upstream offers it and it works.
	HTTP2Auto HTTP2Mode = "auto"
	// HTTP2Off speaks HTTP/1.1 only.
	HTTP2Off HTTP2Mode = "off"
)
