"""Streams one chat with the openai package, whose HTTP client OpenTelemetry instruments as in
an application. Prints one JSON object: the trace, the spans of its HTTP requests, the text.
"""

import json

import openai
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
HTTPX2ClientInstrumentor().instrument()

with trace.get_tracer("app").start_as_current_span("work") as work:
    text = ""
    messages = [{"role": "user", "content": "Why does a canoe need an outrigger?"}]
    for chunk in openai.OpenAI().chat.completions.create(model="gpt-4.1", messages=messages, stream=True):
        for choice in chunk.choices or []:
            text += (choice.delta and choice.delta.content) or ""

requests = [s for s in spans.get_finished_spans() if s.kind == trace.SpanKind.CLIENT]
print(json.dumps({
    "trace": format(work.get_span_context().trace_id, "032x"),
    "requests": [format(s.context.span_id, "016x") for s in requests],
    "text": text,
}))
