// Package sticky holds affinity: it remembers which upstream created which object, so that a
// request that names an object goes there. A file that was uploaded to the second upstream
// while the first was down cannot be found at the first.
//
// # What is remembered
//
// The ids in the answers of endpoints that store something: files, uploads, batches,
// fine-tuning jobs, vector stores, assistants, threads, conversations, containers, evals,
// videos, responses, and what belongs to them. A Learner reads the ids beside the copy of
// the answer, as its bytes pass, also from a stream's events. They are kept in a Map, which
// is bounded, evicts the least recently used id, and ends with the process.
//
// # What a request refers to
//
// A Request reads ids in the path and in the body's members. It returns the home of the
// first known one; those in the path come before those in the body. A home is where objects
// live: several upstreams may share one.
//
// Encrypted content that a call sends back is not an id, but only the account that made it
// can read it. It is recognized by a hash, and decides if no id does.
//
// What nobody knows goes to the first home: a path with an unknown id, the list of a
// collection, a member such as previous_response_id at the top of a body. Any other request
// may go anywhere.
//
// # Reading without decoding
//
// A scanner finds members by their quotes, colons and brackets alone. It validates nothing:
// what is not JSON has no ids, and ids in what an upstream would reject do no harm. A control
// character, such as a line break, ends every string, so the lines of a stream's events,
// which are not JSON, confuse it for one line at most.
package sticky
