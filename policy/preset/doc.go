// Package preset knows how well-known providers want to be called, so that an
// upstream needs no more than its URL and a key: where their API begins, in which
// header their key goes, what they want besides.
//
// # What a preset may do
//
// It is chosen by the host of the upstream's URL, and fills in what the user left
// open. Nothing that the user set is changed: a path that is not one of the
// provider's, a header for the key, an api-version. A host that is not known has
// no preset: its requests are joined to the URL as they are.
//
// # Paths
//
// An app is told http://127.0.0.1:8383/v1 and sends /v1/chat/completions, whatever
// the provider. A provider's own base may be /openai/v1, and may stand in the URL
// in whole, in part or not at all. So the /v1 of the request gives way to the
// provider's base. A request that begins as that base does was made for the
// provider and passes as it is. No URL of any host makes /v1/v1.
//
// # Sources
//
// Each row of the table names the provider's page. Where a provider has pages for
// several of its APIs, each base has its own.
package preset
