"""An assistant reads and plans freely; what spends or leaves takes a person's word, for exactly that, once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from mcp.client import Client
from mcp.types import TextContent

from enrichment_assets.services.access.signing import Signing
from enrichment_assets.web.assistants.server import CHANGES, READS, build_server
from enrichment_assets.web.assistants.tools import Tools
from tests.console.conftest import ORIGIN, Desk, Filled
from tests.warehouse.hq_data import Answer, Lead


def tools(desk: Desk, client: str | None = None) -> Tools:
    return Tools(desk.hq, desk.settings, Signing.of(desk.settings), ORIGIN, client)


async def call(assistant: Client, name: str, **arguments: Any) -> Any:
    done = await assistant.call_tool(name, arguments)
    (content,) = done.content if len(done.content) == 1 else (done.content[0],)
    assert isinstance(content, TextContent)
    return content.text if done.is_error else json.loads(content.text)


@pytest.fixture(scope="module")
def key(desk: Desk) -> str:
    failed = Answer("match-person-via-apollo", None, {}, status="FAILED", outcome=None, error_class="provider_down")
    desk.build([Lead({"full_name": "Ann Lee", "title": "CTO"}, [failed])], batch_key="acme-asks", client="acme").close()
    desk.build([Lead({"full_name": "Bo Ek"})], batch_key="globex-asks", client="globex").close()
    return "acme-asks"


async def test_it_reads_what_is_its_client_s_and_nothing_else(desk: Desk, key: str) -> None:
    async with Client(build_server(tools(desk, "acme"))) as assistant:
        listed = (await assistant.list_tools()).tools
        assert {tool.name for tool in listed} == {*READS, *CHANGES}
        assert all(tool.description for tool in listed)
        found = await call(assistant, "read_leads", batch=key)
        assert [lead["full_name"] for lead in found["items"]] == ["Ann Lee"]
        rows = await call(assistant, "query", sql="select full_name from final_leads", client="acme")
        assert rows == {"rows": [{"full_name": "Ann Lee"}], "is_whole": True}
        for name, arguments, said in (
            ("show_batch", {"batch": "globex-asks"}, "batch.not_found"),
            ("read_leads", {"batch": "globex-asks"}, "batch.not_found"),
            ("query", {"sql": "select 1", "client": "globex"}, "client.not_found"),
            ("query", {"sql": "drop table x", "client": "acme"}, "query."),
            ("list_pipelines", {"client": "globex"}, "client.not_found"),
            ("list_drafts", {"batch": "globex-asks"}, "batch.not_found"),
            ("retry_batch", {"batch": "globex-asks"}, "batch.not_found"),
            ("list_deliveries", {"batch": "globex-asks"}, "batch.not_found"),
            ("list_events", {"client": "globex"}, "client.not_found"),
            ("show_config", {"client": "globex", "workflow": "normalise-name"}, "client.not_found"),
            ("plan_asking", {"batch": "globex-asks", "workflows": ["x"]}, "batch.not_found"),
            ("plan_try", {"workflow": "normalise-name", "client": "globex", "given": {}}, "client.not_found"),
            ("ask_steps", {"batch": "globex-asks", "workflows": ["x"]}, "batch.not_found"),
            ("deliver", {"batch": "globex-asks", "to": "deliver-to-webhook"}, "batch.not_found"),
        ):
            assert said in await call(assistant, name, **arguments), name


async def test_what_spends_takes_a_person_s_word_for_exactly_that_and_once(desk: Desk, key: str) -> None:
    async with Client(build_server(tools(desk))) as assistant, desk.http() as http:
        told = await call(assistant, "retry_batch", batch=key)
        assert told["would"]["retried"] == {"match-person-via-apollo": 1}
        assert (await call(assistant, "show_batch", batch=key))["workflows"][0]["failed"] == 1  # nothing was done
        page = await http.get(told["open"].removeprefix(ORIGIN))
        assert (page.status_code, "retry what failed in acme-asks" in page.text) == (200, True)
        form = {"ask": re.findall('name="ask" value="([^"]+)"', page.text)[0]}
        given = re.findall("<code>([^<]+)</code>", (await http.post("/confirm", data=form)).text)[0]
        for wrong in (given[:-2] + "AA", "yes", form["ask"]):
            assert "confirmation.not_this" in await call(assistant, "retry_batch", batch=key, confirmation=wrong)
        other = {"batch": key, "workflow": "match-person-via-apollo", "confirmation": given}
        assert "confirmation.not_this" in await call(assistant, "retry_batch", **other)
        done = await call(assistant, "retry_batch", batch=key, confirmation=given)
        assert done["retried"] == {"match-person-via-apollo": 1}
        assert "confirmation.used" in await call(assistant, "retry_batch", batch=key, confirmation=given)
    with desk.hq.transaction() as connection:
        row = connection.execute("select actor, action from operator_actions order by id desc limit 1").fetchone()
    assert row == {"actor": "user:ada", "action": "batch.retry"}


async def test_a_page_that_was_changed_asks_nothing(desk: Desk, key: str, batch: Filled) -> None:
    ask = tools(desk).retry_batch(key)["open"].partition("ask=")[2]
    async with desk.http() as http:
        for text in ("", "x", ask[:-3] + "AAA"):
            assert (await http.get("/confirm", params={"ask": text})).status_code == 422


async def test_it_plans_freely_and_every_tool_that_spends_or_leaves_asks_a_person_first(desk: Desk, key: str) -> None:
    step = "match-person-via-apollo"

    def counts() -> list[Any]:
        tables = ("provider_calls", "operator_actions", "approvals", "planned_deliveries", "batches")
        with desk.hq.transaction() as connection:
            return [connection.execute(f"select count(*) as n from {name}").fetchone() for name in tables]

    async with Client(build_server(tools(desk))) as assistant:
        before = counts()
        tried = await call(assistant, "plan_try", workflow="normalise-name", client="acme", given={"full_name": "Ada"})
        assert tried["workflow"] == "normalise-name"
        assert (await call(assistant, "show_config", client="acme", workflow=step))["enabled"] is True
        assert await call(assistant, "list_deliveries", batch=key) == {"items": []}
        assert await call(assistant, "list_events", client="acme") == {"items": []}
        assert isinstance(await call(assistant, "plan_asking", batch=key, workflows=[step]), dict)
        asked = await call(assistant, "ask_steps", batch=key, workflows=[step])
        assert asked["needs"] == "a person's confirmation"
        assert asked["says"] == f"ask {step} about the leads of {key}"
        wrong = await call(assistant, "ask_steps", batch=key, workflows=[step], confirmation="yes")
        assert "confirmation.not_this" in wrong
        assert counts() == before
