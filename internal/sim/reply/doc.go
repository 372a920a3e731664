// Package reply has what the simulated upstream answers, as values: whole answers, events
// of streams, errors in the dialect of each API, the words and ids that answers are made of,
// and recorded answers of real providers. Nothing here sends anything.
package reply
