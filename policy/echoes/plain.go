package echoes

import "strings"

// plain are single words of the API itself, which stand in nearly every request: roles, kinds, names of members. Where an
// answer says one, it need not quote the request.
var plain = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(`model models messages message role content user assistant system developer tool tools
		function functions name names text type image url file input output data json object string number boolean integer array
		null true false auto none required default flex priority standard high medium low detail format stream store
		n stop seed temperature top p k logprobs id the a an is in of to and or for not
		application keep alive close gzip deflate br identity v1 v2 api chat completions responses embeddings
		audio images files batches moderations`) {
		set[w] = true
	}
	return set
}()
