// Package jsonlog writes a log as JSON, a line for each record, at little cost.
//
// Handler is a slog.JSONHandler. For a request's line, with its numbers in milliseconds, that one
// calls encoding/json by reflection for each: about half of what the line costs. So Handler encodes
// plain lines itself, to the same bytes, and leaves all others to it.
//
// Writer gathers lines for up to Delay, so that a busy process makes one system call for many of
// them. It writes a line at once when the last one was written a while ago, and whenever it is
// told to flush: Handler does so after each warning and error. The process flushes it at its end.
// What a crash or SIGKILL can lose are the lines of its last Delay.
package jsonlog
