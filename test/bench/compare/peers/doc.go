// Package peers knows the proxies and gateways that are compared: how each is installed,
// configured and run.
//
// Each is configured for resilience as its own documentation recommends. Where the
// documentation leaves a choice, the one that helps calls of language models is taken:
// streams are not buffered, POSTs that create nothing are retried, and calls that create
// something are not, where the program can tell them apart.
package peers
