// Package preset knows how to call well-known providers, so that an upstream needs only
// its URL and a key: the base path of their API, the header for the key, and other headers
// that they require.
//
// # What a preset may do
//
// A preset is chosen by the host of the upstream's URL, and fills in what the user left
// open. It changes nothing that the user set: a path that is not one of the provider's, a
// header for the key, an api-version. An unknown host has no preset: its requests are
// joined to the URL as they are.
//
// # Paths
//
// The app calls http://127.0.0.1:8383/v1/chat/completions, whatever the provider. The
// provider's own base path may be /openai/v1, and the URL may contain all of it, a part or
// none. So the request's /v1 is replaced by the provider's base path. A request that
// already begins with that base path was made for the provider and passes as it is. For no
// host does a URL become /v1/v1.
//
// # Sources
//
// Each row of the table names the provider's page. If a provider has pages for several of
// its APIs, each base path has its own.
package preset
