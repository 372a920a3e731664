// Package batches reads the states of batch jobs from answers of /v1/batches as they pass,
// and counts each batch once in each state.
//
// Batches keep what was seen. Its Reader is an io.Writer that reads one answer: a batch, or a
// list of them. Nothing is asked of an upstream for it, no byte is held back, and what is
// kept of an answer is bounded: ids and names up to 128 bytes. What was seen is forgotten when
// the process ends, or when 10,000 batches were seen later.
package batches
