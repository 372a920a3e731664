package endpoint_test

import (
	"fmt"

	"outrigger/policy/endpoint"
)

// The effect of a call says whether it may be executed twice.
func ExampleOf() {
	for _, e := range []endpoint.Endpoint{
		endpoint.Of("POST", "/v1/chat/completions", endpoint.Facts{}),
		endpoint.Of("POST", "/v1/chat/completions", endpoint.Facts{Store: true}),
		endpoint.Of("DELETE", "/v1/files/file-1", endpoint.Facts{}),
		endpoint.Of("POST", "/v1/something/new", endpoint.Facts{}),
	} {
		fmt.Println(e.Name, e.Effect)
	}
	// Output:
	// chat.completions compute
	// chat.completions create
	// files replace
	// other create
}
