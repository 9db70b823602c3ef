"""Every shape of `shapes/` through the whole pipeline, each with all of its facts. How to add one: README.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enrichment_assets.settings import Settings
from tests.harness.databases import PostgresServer
from tests.payloads.comparing import differences
from tests.payloads.payload import Payload, load_payloads
from tests.payloads.running import Ran, run_payloads

PAYLOADS = load_payloads()


@pytest.fixture(scope="module")
def ran(postgres_server: PostgresServer, hq_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """All payloads, run once."""
    hq, workspace = postgres_server.create(hq_template), postgres_server.create()
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        hq_database_url=postgres_server.url(hq),
        workspace_database_url=postgres_server.url(workspace),
        dagster_database_url=postgres_server.url(hq),
    )
    yield run_payloads(settings, PAYLOADS, tmp_path_factory.mktemp("uploads"))
    postgres_server.drop(hq)
    postgres_server.drop(workspace)


def test_every_request_is_answered_and_every_table_adds_up(ran: Ran) -> None:
    assert ran.problems == []


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_every_fact_of_the_answer_comes_out(ran: Ran, payload: Payload) -> None:
    assert differences(ran, payload) == []
