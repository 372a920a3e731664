package eventstream_test

import (
	"fmt"

	"outrigger/policy/endpoint"
	"outrigger/proxy/eventstream"
)

// A chat stream is cut after its first event. Interruption returns what to send to the
// caller, so that its SDK raises an error.
func ExampleWatcher() {
	w := eventstream.New(endpoint.Chat)
	fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n")
	w.End()
	fmt.Println("complete:", w.Done())
	fmt.Print(string(w.Interruption("stream_interrupted", "the connection was lost")))
	// Output:
	// complete: false
	// data: {"error":{"message":"the connection was lost","type":"api_connection_error","param":null,"code":"stream_interrupted"}}
}
