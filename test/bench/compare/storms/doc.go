// Package storms plays the simulated storms of internal/sim in real time against the official
// SDK alone and through each peer, and counts how the job itself went: how many calls
// succeeded, how long it took, what reached the upstream, what was created twice, and which
// streams were cut and looked complete.
//
// The caller is always openai-go with its defaults: two retries. What differs is only what
// stands between it and the upstream. Each way to the upstream has a simulator and a process
// of its own for each storm, with the same seed.
package storms
