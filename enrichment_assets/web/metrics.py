"""`/metrics` for Prometheus, on a port of its own of this machine (docs/alerts.md). Off without `ENRICH_METRICS_PORT`.

Figures come from HQ, by one statement, and are kept for some seconds, however many ask. Labels are slugs and words of
the platform's own. Whoever can open a connection to the port may read them; a page of another site in the operator's
browser cannot (`OriginGuard`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

import typer
import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.insight.figures import Figure, figures
from enrichment_assets.web.origin_guard import OriginGuard, loopback_origins

KEPT_SECONDS = 15.0
"""The statement takes a third of a second over 800,000 states of open batches."""

NAMES = {
    "enrich_batches": "Batches by where they stand: open, held (paused or cancelled as a whole), finished, put_away.",
    "enrich_steps": "States of open batches by step and status.",
    "enrich_runs": "Runs that work on a batch now.",
    "enrich_stopped_steps": "Steps of open batches that send nothing, by cause.",
    "enrich_budget_amount": "What a client, or one workflow of it, may spend at most.",
    "enrich_budget_spent": "What of it is spent.",
    "enrich_budget_reserved": "What of it is set aside for calls under way.",
    "enrich_callbacks": "Callbacks that wait (new), or could not be read (dead).",
    "enrich_oldest_callback_seconds": "How long the oldest new callback has waited.",
    "enrich_incidents": "Alerts that are open.",
    "enrich_channel_failures": "Attempts in a row that a channel of alerts failed.",
}
"""What each figure is."""


class Figures(Collector):
    """Asks HQ, at most once in so many seconds for all who ask. Without its database only `enrich_up 0` is told."""

    def __init__(self, hq: Hq, kept_seconds: float = KEPT_SECONDS) -> None:
        self._hq = hq
        self._kept_seconds = kept_seconds
        self._lock = threading.Lock()
        self._kept: list[Figure] | None = None
        self._asked_at = float("-inf")

    def describe(self) -> Iterable[Metric]:
        """Nothing: the database is not asked before somebody scrapes."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One family for each name."""
        found = self._figures()
        yield GaugeMetricFamily("enrich_up", "Whether the database answers.", value=float(found is not None))
        by_name: dict[str, list[Figure]] = defaultdict(list)
        for one in found or ():
            by_name[f"enrich_{one.name}"].append(one)
        for name, ones in sorted(by_name.items()):
            family = GaugeMetricFamily(name, NAMES[name], labels=list(ones[0].labels))
            for one in ones:
                family.add_metric([str(label) for label in one.labels.values()], one.value)
            yield family

    def _figures(self) -> list[Figure] | None:
        with self._lock:
            if time.monotonic() - self._asked_at < self._kept_seconds:
                return self._kept
            try:
                with self._hq.transaction() as connection:
                    self._kept = figures(connection)
            except EnrichError:
                self._kept = None
            self._asked_at = time.monotonic()
            return self._kept


def build_app(hq: Hq, origins: Iterable[str], kept_seconds: float = KEPT_SECONDS) -> ASGIApp:
    """The application: `GET /metrics` and `GET /health`, for programs of this machine."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(hq, kept_seconds))

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def health(_request: Request) -> Response:
        return PlainTextResponse("up\n")

    app = Starlette(routes=[Route("/metrics", metrics), Route("/health", health)])
    return OriginGuard(app, origins)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9464,
) -> None:
    """Serve `/metrics` until the process is ended."""
    settings = Settings.from_environment()
    logging.basicConfig(level=logging.WARNING)
    with open_hq(settings) as hq:
        origins = [*loopback_origins(port), *settings.ui_origins]
        uvicorn.run(
            build_app(hq, origins), host=host, port=port, log_level="warning", proxy_headers=False, server_header=False
        )


if __name__ == "__main__":
    typer.run(serve)
