package otlp

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of ExportTraceServiceResponse and ExportTracePartialSuccess
// (opentelemetry/proto/collector/trace/v1/trace_service.proto).
const (
	partialSuccess = 1
	rejectedSpans  = 1
)

// RejectedError is how many spans a collector took in and then rejected.
type RejectedError int64

// Error implements error.
func (r RejectedError) Error() string {
	return "the collector rejected " + strconv.FormatInt(int64(r), 10) + " spans"
}

// rejection returns what the answer to an accepted request says of rejected spans; nil for
// none. What cannot be read says nothing.
func rejection(answer []byte) error {
	var n RejectedError
	fields(answer, func(field protowire.Number, message []byte, _ uint64) {
		if field != partialSuccess {
			return
		}
		fields(message, func(field protowire.Number, _ []byte, number uint64) {
			if field == rejectedSpans {
				n = RejectedError(number) //nolint:gosec // an int64 on the wire
			}
		})
	})
	if n <= 0 {
		return nil
	}
	return n
}

// fields calls f with each field of an encoded message, with its bytes or its number.
func fields(message []byte, f func(field protowire.Number, bytes []byte, number uint64)) {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		size := protowire.ConsumeFieldValue(field, kind, message)
		if size < 0 {
			return
		}
		switch kind {
		case protowire.BytesType:
			value, _ := protowire.ConsumeBytes(message)
			f(field, value, 0)
		case protowire.VarintType:
			value, _ := protowire.ConsumeVarint(message)
			f(field, nil, value)
		}
		message = message[size:]
	}
}
