// Package sdk runs the OpenAI clients for Python, Node and Go, and some that are built on or
// beside them (Vercel AI SDK, LangChain.js, langchain4j, Anthropic), as applications use
// them, against the outrigger binary in front of the simulated upstream. A client is
// told nothing but OPENAI_BASE_URL (and a key); what it then makes of Outrigger's
// answers is compared with what the documentation promises.
//
// make test installs the clients as far as the machine can run them. What is not
// installed is skipped, and named.
package sdk
