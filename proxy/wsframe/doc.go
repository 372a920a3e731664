// Package wsframe follows the frames of a WebSocket (RFC 6455, section 5) while their bytes
// pass: where one ends, so that another frame can be inserted between two, and what a Close
// frame says. It neither holds nor changes what passes, and looks only at the payload of
// Close frames.
package wsframe
