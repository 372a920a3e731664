// Package wsframe follows the frames of a WebSocket (RFC 6455, section 5) while
// their bytes pass: where one ends, so that a frame of one's own can be put between
// two, and what a Close frame says. It neither holds nor changes what passes, and
// looks at the payload of Close frames only.
package wsframe
