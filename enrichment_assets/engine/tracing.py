"""Traces by OpenTelemetry: a span for each run, each step of an item and each request. Off unless `ENRICH_TRACES=1`.

Off, nothing of OpenTelemetry is imported, and a span is one look at a name. On, its own variables say where spans go
and how many are kept: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER` ...; it needs the extra `otel`.

Attributes are slugs, keys, numbers of rows and words of the platform's own. The text of an exception is none of them:
it can quote data.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from enrichment_assets.domain.errors import ConfigurationError

Value = str | int | float | bool

FLUSH_SECONDS = 5.0
"""How long the end of a run waits for its spans to be taken; what is not taken by then is lost."""

SERVICE = "enrichment-assets"


class Span(Protocol):
    """What is going on."""

    def told(self, name: str, value: Value | None) -> None:
        """Note something of it; None is nothing."""


class _Off:
    """Nobody listens."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def told(self, name: str, value: Value | None) -> None:
        """Nothing."""


class _On:
    """A span of OpenTelemetry's."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def told(self, name: str, value: Value | None) -> None:
        """An attribute `enrich.<name>`."""
        if value is not None:
            self._span.set_attribute(f"enrich.{name}", value)


_OFF = _Off()
_tracer: Any = None
_provider: Any = None


def span(name: str, **attributes: Value | None) -> AbstractContextManager[Span]:
    """What goes on inside the block, below the span that is open; `attributes` as `Span.told`."""
    return _OFF if _tracer is None else _opened(name, attributes)


@contextmanager
def _opened(name: str, attributes: dict[str, Value | None]) -> Iterator[Span]:
    from opentelemetry.trace import Status, StatusCode

    with _tracer.start_as_current_span(
        f"enrich.{name}", record_exception=False, set_status_on_exception=False
    ) as opened:
        told = _On(opened)
        for key, value in attributes.items():
            told.told(key, value)
        try:
            yield told
        except BaseException as error:
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@contextmanager
def tracing(*, on: bool) -> Iterator[None]:
    """Trace what the block does, in this process from now on; at its end the spans are sent.

    Raises:
        ConfigurationError: The extra is not installed.
    """
    if not on:
        yield
        return
    _begin()
    try:
        yield
    finally:
        _flush()


def _flush() -> None:
    """Have what is kept sent, for so long and no longer: OpenTelemetry's own flush does not heed its time-out."""
    flushing = threading.Thread(target=_provider.force_flush, daemon=True)
    flushing.start()
    flushing.join(FLUSH_SECONDS)


def _begin() -> None:
    global _tracer, _provider
    if _tracer is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigurationError(
            "ENRICH_TRACES is set, and OpenTelemetry is not installed: install enrichment-assets[otel], or unset it",
            code="setting.no_tracing",
        ) from None
    named = os.environ.get("OTEL_SERVICE_NAME") or SERVICE
    _provider = TracerProvider(resource=Resource.create({SERVICE_NAME: named}), shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer(SERVICE)
