package otlp

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// sampler decides which requests are recorded. Without a variable those are, whose caller
// records its own part, and those of callers that say nothing.
func (e *environment) sampler() sdktrace.Sampler {
	name := e.values["OTEL_TRACES_SAMPLER"]
	switch strings.ToLower(name) {
	case "always_on":
		return sdktrace.AlwaysSample()
	case "always_off":
		return sdktrace.NeverSample()
	case "traceidratio":
		return sdktrace.TraceIDRatioBased(e.ratio())
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(e.ratio()))
	case "", "parentbased_always_on":
	default:
		e.mistake("OTEL_TRACES_SAMPLER", "not a sampler that is known, so it is parentbased_always_on")
	}
	return sdktrace.ParentBased(sdktrace.AlwaysSample())
}

// ratio is the share of requests that a sampler records.
func (e *environment) ratio() float64 {
	value := e.values["OTEL_TRACES_SAMPLER_ARG"]
	if value == "" {
		return 1
	}
	share, err := strconv.ParseFloat(value, 64)
	if err != nil || !(0 <= share && share <= 1) {
		e.mistake("OTEL_TRACES_SAMPLER_ARG", "not a number from 0 to 1, so it is 1")
		return 1
	}
	return share
}

// resource returns the attributes of the process. Two variables can name the service;
// OTEL_SERVICE_NAME goes first.
func (e *environment) resource() []attribute.KeyValue {
	service := "outrigger"
	var all []attribute.KeyValue
	for _, entry := range list(e.values["OTEL_RESOURCE_ATTRIBUTES"]) {
		key, text, found := strings.Cut(entry, "=")
		key = strings.TrimSpace(key)
		value, err := url.PathUnescape(strings.TrimSpace(text))
		if !found || err != nil || key == "" {
			e.mistake("OTEL_RESOURCE_ATTRIBUTES", "an entry is not name=value, with the value percent-encoded")
			continue
		}
		if key == "service.name" {
			service = value
			continue
		}
		all = append(all, attribute.String(key, value))
	}
	if name := e.values["OTEL_SERVICE_NAME"]; name != "" {
		service = name
	}
	return append(all, attribute.String("service.name", service))
}

// Bounds of what waits: spans of requests are a kilobyte or two each.
const (
	mostSpans  = 1 << 16
	mostLimits = 1 << 20
)

func (e *environment) batch() Batch {
	b := Batch{
		Queue:   e.count("OTEL_BSP_MAX_QUEUE_SIZE", 2048, mostSpans),
		Size:    e.count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, mostSpans),
		Delay:   e.span(e.values["OTEL_BSP_SCHEDULE_DELAY"], "OTEL_BSP_SCHEDULE_DELAY", 5*time.Second),
		Timeout: e.span(e.values["OTEL_BSP_EXPORT_TIMEOUT"], "OTEL_BSP_EXPORT_TIMEOUT", 30*time.Second),
	}
	b.Size = min(b.Size, b.Queue)
	return b
}

func (e *environment) limits() sdktrace.SpanLimits {
	s := sdktrace.SpanLimits{
		AttributeValueLengthLimit: e.count("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", e.count("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", -1, mostLimits), mostLimits),
		AttributeCountLimit:       e.count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", e.count("OTEL_ATTRIBUTE_COUNT_LIMIT", 128, mostLimits), mostLimits),
		EventCountLimit:           e.count("OTEL_SPAN_EVENT_COUNT_LIMIT", 128, mostLimits),
		LinkCountLimit:            e.count("OTEL_SPAN_LINK_COUNT_LIMIT", 128, mostLimits),
	}
	s.AttributePerEventCountLimit = e.count("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", 128, mostLimits)
	s.AttributePerLinkCountLimit = e.count("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", 128, mostLimits)
	return s
}
