// Package otlp reads the OTEL_* variables that concern traces, and sends spans to an
// OpenTelemetry collector by OTLP over HTTP, encoded as protobuf.
//
// Load reads an environment: whether traces are on, where they go, which requests are sampled.
// NewClient returns what sends them, for otlptrace.New of the OpenTelemetry SDK.
//
// The SDK has such a client of its own (otlptracehttp). It links gRPC, and with it a binary
// nearly twice the size: 14 MB more, where this package and the SDK take under 1 MB.
//
// Names, defaults and meanings are those of the OpenTelemetry specification: "Environment
// Variable Specification" and "OpenTelemetry Protocol Exporter" (opentelemetry.io/docs/specs/otel).
package otlp
