"""`/metrics`: what Prometheus reads of real batches, who may read it, and what it says without its database."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from enrichment_assets.domain.alerts.kinds import Kind
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.installation.stack import Ports, stack_services
from enrichment_assets.services.operations.budgeting import set_budget
from enrichment_assets.services.operations.holding import pause
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.insight import figures as store
from enrichment_assets.web.metrics import NAMES, build_app
from enrichment_assets.web.origin_guard import loopback_origins
from tests.actors import TESTER
from tests.alerts.watch import Watch
from tests.harness.batches import async_step, people, step
from tests.platform.processes import free_port


@contextmanager
def served(hq: Hq, kept_seconds: float = 0.0) -> Iterator[str]:
    port = free_port()
    app = build_app(hq, loopback_origins(port), kept_seconds)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def scraped(url: str) -> dict[tuple[str, ...], float]:
    """(name, labels' values ...) -> value."""
    text = urllib.request.urlopen(f"{url}/metrics", timeout=30).read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_reads_what_is_now_and_no_value_of_a_person(watched: Watch) -> None:
    open_one = watched.harness.launch(people(3, email="ann@secret-person.com"), async_step("find"), step("more"))
    open_one.run({"find"})
    held = watched.harness.launch(people(1), step("find"), client="globex")
    pause(watched.hq, held.key, reason="ann@secret-person.com", actor=TESTER)
    done = watched.harness.launch(people(2), step("find"))
    done.run()
    open_one.call_back(open_one.calls("find")[0], {"found": True, "id": "ann@secret-person.com"})
    set_budget(watched.hq, "acme", "12.5", batch=None, workflow=None, actor=TESTER)
    watched.rule(Kind.BATCH_PAUSED)
    watched.harness.sandbox.configure(providers={"slack": {"errors": 1}})
    watched.round()
    with watched.hq.transaction() as connection:
        assert {f"enrich_{one.name}" for one in store.figures(connection)} <= NAMES.keys()
    with served(watched.hq) as url:
        found = scraped(url)
        raw = urllib.request.urlopen(f"{url}/metrics", timeout=30)
        assert raw.headers["content-type"].startswith("text/plain; version=")
        assert b"secret-person" not in raw.read()
    spent = found.pop(("enrich_budget_spent", "acme", ""))
    assert spent == pytest.approx(0.02)
    assert found.pop(("enrich_oldest_callback_seconds",)) > 0
    assert found == {
        ("enrich_up",): 1,
        ("enrich_batches", "acme", "open"): 1,
        ("enrich_batches", "acme", "finished"): 1,
        ("enrich_batches", "globex", "held"): 1,
        ("enrich_steps", "acme", "IN_PROGRESS", "find"): 3,
        ("enrich_steps", "acme", "PENDING", "more"): 3,
        ("enrich_steps", "globex", "PENDING", "find"): 1,
        ("enrich_budget_amount", "acme", ""): 12.5,
        ("enrich_budget_reserved", "acme", ""): 0.03,
        ("enrich_callbacks", "acme", "new"): 1,
        ("enrich_incidents", "batch.paused"): 1,
        ("enrich_channel_failures", "slack:OPS_SLACK"): 1,
    }


def test_it_answers_to_its_own_name_and_asks_the_database_once_for_all_who_ask(watched: Watch) -> None:
    with served(watched.hq, kept_seconds=600.0) as url:
        assert ("enrich_batches", "acme", "open") not in scraped(url)
        watched.harness.launch(people(1), step("find"))
        assert ("enrich_batches", "acme", "open") not in scraped(url), "kept"
        assert urllib.request.urlopen(f"{url}/health", timeout=30).read() == b"up\n"
        for headers in ({"host": "rebound.example"}, {"origin": "https://evil.example"}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"{url}/metrics", headers=headers), timeout=30)
            assert refused.value.code in (403, 421)
            refused.value.close()


def test_without_its_database_it_says_that_it_is_down() -> None:
    nowhere = Settings(home=Path("/nonexistent"), hq_database_url=f"postgresql://127.0.0.1:{free_port()}/none")
    with open_hq(nowhere) as hq, served(hq) as url:
        assert scraped(url) == {("enrich_up",): 0}


def test_the_platform_starts_it_where_a_port_is_set(tmp_path: Path) -> None:
    with_it = stack_services(Ports(3000, 8710, metrics=9464), tmp_path)
    (metrics,) = (service for service in with_it if service.name == "metrics")
    assert metrics.command[1:] == (
        "-m", "enrichment_assets.web.metrics", "--host", "127.0.0.1", "--port", "9464",
    )  # fmt: skip
    assert not metrics.makes_calls, "it is given no key"
    assert "metrics" not in {service.name for service in stack_services(Ports(3000, 8710), tmp_path)}
    assert Settings.from_environment({"ENRICH_HOME": "/x", "ENRICH_METRICS_PORT": "9464"}).metrics_port == 9464
    assert Settings.from_environment({"ENRICH_HOME": "/x"}).metrics_port is None
