// Package sticky remembers which upstream made which object, so that a request
// that names an object goes where it lives: a file that was uploaded to the second
// upstream while the first was down is not to be found at the first.
//
// # What is remembered
//
// The ids in the answers of endpoints that keep something: files, uploads,
// batches, fine-tuning jobs, vector stores, assistants, threads, conversations,
// containers, evals, videos, responses, and what belongs to them. A Learner reads
// the ids beside the copy of the answer, as its bytes pass, also out of a stream's
// events. The memory is a Map: bounded, the least recently used id gives way, and
// it ends with the process.
//
// # What a request refers to
//
// A Request reads ids in the path and in the body's members, and answers with the
// home of the first one that is known, those of the path before those of the body.
// A home is a place where objects live: several upstreams may share one.
//
// Encrypted content that a call sends back is no id, but only the account that made it can
// read it: it is known by a hash, and binds the call where no id does.
//
// What nobody knows lives in the first home, as far as anybody can tell: a path
// with an unknown id, the list of a collection, a member such as
// previous_response_id at the top of a body. Anything else may go anywhere.
//
// # Reading without decoding
//
// A scanner finds members by their quotes, colons and brackets alone. It checks
// nothing: what is not JSON has no ids, and what an upstream would refuse may have
// some, which does no harm. A control character, such as a line break, ends every string, so a stream's
// events, whose lines are not JSON, put it off for one line at most.
package sticky
