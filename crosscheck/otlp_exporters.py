"""Sends one prediction as a log record and one as a span, by the exporter of OTEL_EXPORTER_OTLP_PROTOCOL."""

import logging
import os
import sys
import time

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

resource = Resource.create({"service.name": "scoring", "deployment.environment.name": "lab"})
spans = TracerProvider(resource=resource)
spans.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter()))

log = logging.getLogger("scoring")
log.setLevel(logging.INFO)
log.addHandler(LoggingHandler(logger_provider=logs))
tracer = spans.get_tracer("scoring")

with tracer.start_as_current_span("nothing of ours"):
    with tracer.start_as_current_span("score") as span:
        span.set_attribute("tallystick.model", "credit")
        span.set_attribute("tallystick.features.age", 41)
        span.set_attribute("tallystick.score", 0.75)
        span.set_attribute("tallystick.flags", ["span"])
        time.sleep(0.002)
    with tracer.start_as_current_span("chat gpt-large") as span:
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.request.model", "gpt-large")
        span.set_attribute("gen_ai.response.model", "gpt-large-2026")
        span.set_attribute("gen_ai.usage.input_tokens", 12)
    with tracer.start_as_current_span("chat of others") as span:
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.request.model", "somebody-elses")
    log.info("scored", extra={"tallystick.model": "credit", "tallystick.features": {"age": 41, "job": "cook"}, "tallystick.score": 0.5, "tallystick.flags": ["log"]})
    log.info("nothing of ours")

ok = spans.force_flush() and logs.force_flush()
spans.shutdown()
logs.shutdown()
sys.exit(0 if ok else 1)
