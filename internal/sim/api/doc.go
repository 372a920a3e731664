// Package api has the endpoints of the simulated upstream: what each reads of a request, and
// the work that answers it. API keeps what clients create. It knows no connection, no limit
// and no fault: package sim sends its answers, or does not.
package api
