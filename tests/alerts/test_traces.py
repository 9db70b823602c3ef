"""Traces: real spans of a real run, taken by a collector over OTLP; and nothing at all where they are off."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from enrichment_assets.engine import tracing
from tests.harness.batches import BatchHarness, people, step
from tests.platform.processes import free_port


class Collector:
    """What an OTLP endpoint took: spans as (name, attributes, span id, parent's id, status message)."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.url = ""

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
                    self.spans.append(
                        {"name": span.name, "attributes": attributes, "id": span.span_id, "service": service,
                         "parent": span.parent_span_id, "status": span.status.message, "events": len(span.events)}
                    )  # fmt: skip

    def named(self, name: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == name]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has traced nothing yet, and has again at the end."""
    monkeypatch.setattr(tracing, "_tracer", None)
    monkeypatch.setattr(tracing, "_provider", None)
    yield
    tracing._provider.shutdown()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch, fresh: None) -> Iterator[Collector]:
    took = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            took.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    yield took
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_run_its_steps_and_its_calls_are_spans_of_one_trace_without_anybodys_values(
    harness: BatchHarness, collector: Collector, tmp_path: Path
) -> None:
    traced = BatchHarness(replace(harness.settings, traces=True), harness.hq, harness.sandbox, tmp_path)
    batch = traced.launch(
        [*people(2, email="ann@secret-person.com"), {"n": "9", "scenario": "error"}],
        step("find", retry={"attempts": 1}),
    )
    batch.run()
    (run,) = collector.named("enrich.run")
    assert run["attributes"] == {"enrich.batch": batch.key, "enrich.client": "acme", "enrich.finished": True}
    assert run["service"] == "enrichment-assets"
    steps, calls = collector.named("enrich.step"), collector.named("enrich.call")
    assert {span["parent"] for span in steps} == {run["id"]}
    assert sorted(span["attributes"]["enrich.status"] for span in steps) == ["COMPLETED", "COMPLETED", "FAILED"]
    assert {span["parent"] for span in calls} == {span["id"] for span in steps}
    assert sorted(span["attributes"]["enrich.http_status"] for span in calls)[:2] == [200, 200]
    assert {span["attributes"]["enrich.provider"] for span in calls} == {"http"}
    assert b"secret-person" not in b"".join(collector.bodies)


def test_a_span_that_fails_names_the_class_and_not_the_text(collector: Collector) -> None:
    with pytest.raises(ValueError, match="secret"), tracing.tracing(on=True), tracing.span("run", batch="b-1"):
        raise ValueError("a secret of ann@secret-person.com")
    (span,) = collector.spans
    assert (span["status"], span["events"]) == ("ValueError", 0)
    assert b"secret" not in b"".join(collector.bodies)


def test_a_collector_that_is_away_takes_nothing_and_stops_nothing(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with tracing.tracing(on=True), tracing.span("run", batch="b-1"):
        done = True
    assert done


def test_off_nothing_of_it_is_imported() -> None:
    script = (
        "import json, sys\n"
        "from enrichment_assets.engine import tracing\n"
        "with tracing.tracing(on=False), tracing.span('run', batch='b') as told:\n"
        "    told.told('x', 1)\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry')]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []
