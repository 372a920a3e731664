// Package call describes what a caller wants, how long its call may take, and how it
// ended.
//
// Call is what the caller wants: id, endpoint, facts of the body, browser origin. It is
// filled in while the request is read and does not change afterwards, so that all who
// serve it may share it. Life bounds one execution: context, deadline, drain. Result is
// what happened; package observe reads it once, at the end. A call that is executed apart
// from its caller has one Call, two Lives and two Results.
//
// Inflight knows the Lives of all calls, so that a drain can end them.
//
// # Deadlines move
//
// A caller's deadline is kept as a function, because each byte of its body that moves may
// put it off. Alarm looks at it only when it would ring.
package call
