// Package response buffers the beginning of an answer, and tells by its bytes what the
// answer is.
//
// Hold reads a beginning in such a way that waiting for it can be given up without losing
// a byte. Content is shown each byte once: it recognizes encodings, event streams and
// pages, and decodes a copy of what is encoded. Labels may be wrong: Content-Type and
// Content-Encoding only say what to look for. Buffered is a whole answer that can be given
// to any number of callers.
//
// Check and the Clean functions remove from an answer's headers what only Outrigger may
// say there.
//
// Memory for what is held comes from a Room. When there is none left, answers are
// forwarded as they arrive.
package response
