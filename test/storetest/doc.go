// Package storetest holds every store of idempotency claims to the contract of package claims.
//
// Run is for all stores, RunBounded for those that bound what they keep, and ReadsWithin for
// those that read answers into memory that all requests share.
package storetest
