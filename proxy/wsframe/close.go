package wsframe

// ServiceRestart is the code of a server that ends a connection because it is
// restarted; the client may connect again (IANA WebSocket Close Code Number
// Registry, 1012). Not 1001, "going away": Python's websockets takes that for a
// good end (websockets.exceptions.ConnectionClosedOK).
const ServiceRestart = 1012

// Close returns a Close frame as a server sends it. A reason over 123 bytes, the most
// that fit, is cut there; it should be ASCII.
func Close(code int, reason string) []byte {
	reason = reason[:min(len(reason), controlMax-2)]
	frame := []byte{bitFinal | opClose, byte(2 + len(reason)), byte(code >> 8), byte(code)}
	return append(frame, reason...)
}
