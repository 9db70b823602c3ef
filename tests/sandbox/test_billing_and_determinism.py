"""What was billed shows, a double charge too; idempotency keys work; answers never depend on the process."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import aiohttp
import httpx
import pytest
import typer
from typer.testing import CliRunner

from enrichment_assets.cli.sandbox import register
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.sandbox import SandboxProcess, SandboxSettings

from .conftest import MARIA, Client

ROW = {"company_name": "Acme", "domain": "acme.com", "item_id": "i-1"}


async def test_bills_are_kept_per_provider_key_and_operation_in_exact_money(sandbox: Client) -> None:
    await sandbox.configure(prices={"apollo": "0.015"})
    await sandbox.match(**{"x-api-key": "key-a"})
    await sandbox.match({"name": "Ann Lee", "domain": "b.com"}, **{"x-api-key": "key-a"})
    await sandbox.match(**{"x-api-key": "key-b"})
    bill = await sandbox.billing()
    accounts = [(a["operation"], a["calls"], a["charged"], a["units"], a["money"]) for a in bill["accounts"]]
    assert sorted(accounts) == [("people/match", 1, 1, "1", "0.015"), ("people/match", 2, 2, "2", "0.030")]
    assert (bill["calls"], bill["charged"], bill["units"], bill["money"]) == (3, 3, "3", "0.045")
    assert bill["double_charges"] == []


async def test_a_double_charge_shows_with_its_subject(sandbox: Client) -> None:
    for _ in range(2):
        await sandbox.match()
    [double] = (await sandbox.billing())["double_charges"]
    assert (double["provider"], double["operation"], double["charges"]) == ("apollo", "people/match", 2)
    assert "maria|keller" in double["subject"]


async def test_the_same_subject_under_two_keys_is_no_double_charge(sandbox: Client) -> None:
    await sandbox.match(**{"x-api-key": "key-a"})
    await sandbox.match(**{"x-api-key": "key-b"})
    assert (await sandbox.billing())["double_charges"] == []


async def test_no_key_is_ever_shown(sandbox: Client) -> None:
    secret = "sk-live-0123456789abcdef"
    await sandbox.match(**{"x-api-key": secret})
    await sandbox.get(f"/zenrows/v1/?apikey={secret}&url=https://a.com")
    await sandbox.get(f"/hunter/v2/email-finder?domain=a.com&full_name=A B&api_key={secret}")
    for endpoint in ("billing", "calls", "settings", "callbacks"):
        assert secret.encode() not in (await sandbox.get(f"/_sandbox/{endpoint}")).body


async def test_a_repeated_idempotency_key_gets_the_first_answer_and_is_billed_once(sandbox: Client) -> None:
    headers = {"idempotency-key": "item-1"}
    first = await sandbox.post("/http/enrich", ROW, headers=headers)
    again = await sandbox.post("/http/enrich", ROW, headers=headers)
    assert first.body == again.body
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    bill = await sandbox.billing()
    assert (bill["calls"], bill["charged"], bill["double_charges"]) == (2, 1, [])


async def test_an_idempotency_key_saves_a_call_whose_answer_was_lost(sandbox: Client) -> None:
    headers = {"idempotency-key": "item-1", "x-sandbox-scenario": "reset"}
    with pytest.raises(aiohttp.ClientError):
        await sandbox.post("/http/enrich", ROW, headers=headers)
    again = await sandbox.post("/http/enrich", ROW, headers={"idempotency-key": "item-1"})
    assert again.json["company"]["name"] == "Acme"
    assert (await sandbox.billing())["charged"] == 1


async def test_an_idempotency_key_for_another_request_is_refused(sandbox: Client) -> None:
    headers = {"idempotency-key": "item-1"}
    await sandbox.post("/http/enrich", ROW, headers=headers)
    other = await sandbox.post("/http/enrich", {**ROW, "item_id": "i-2"}, headers=headers)
    assert other.status == 422
    assert (await sandbox.billing())["charged"] == 1


async def test_apollo_ignores_idempotency_keys_unless_it_is_told_to_honour_them(sandbox: Client) -> None:
    headers = {"idempotency-key": "item-1"}
    for _ in range(2):
        await sandbox.match(**headers)
    bill = await sandbox.billing()
    assert bill["charged"] == 2
    assert bill["double_charged_idempotency_keys"] == {"item-1": 2}
    await sandbox.post("/_sandbox/reset")
    await sandbox.configure(providers={"apollo": {"honour_idempotency": True}})
    for _ in range(2):
        await sandbox.match(**headers)
    assert (await sandbox.billing())["charged"] == 1


async def test_concurrent_calls_with_one_key_are_billed_once(sandbox: Client) -> None:
    await sandbox.configure(latency="20ms-80ms")
    headers = {"idempotency-key": "item-1"}
    answers = await asyncio.gather(*(sandbox.post("/http/enrich", ROW, headers=headers) for _ in range(10)))
    assert len({got.body for got in answers}) == 1
    assert (await sandbox.billing())["charged"] == 1


async def test_echo_is_free_and_reset_forgets_every_bill(sandbox: Client) -> None:
    echoed = (await sandbox.post("/http/echo?a=1", ROW)).json
    assert (echoed["json"], echoed["query"]) == (ROW, {"a": "1"})
    assert (await sandbox.billing())["charged"] == 0
    await sandbox.match()
    await sandbox.post("/_sandbox/reset")
    assert (await sandbox.billing())["calls"] == 0


async def test_recent_calls_say_what_happened_in_order(sandbox: Client) -> None:
    await sandbox.match(scenario="error")
    await sandbox.match(scenario="miss")
    await sandbox.match(**{"idempotency-key": "item-9"})
    calls = (await sandbox.get("/_sandbox/calls")).json["calls"]
    assert [call["outcome"] for call in calls] == ["error", "not_found", "found"]
    assert [call["units"] for call in calls] == ["0", "0", "1"]
    assert calls[2]["idempotency_key"] == "item-9"


async def test_settings_can_be_read_and_a_wrong_one_is_refused_by_name(sandbox: Client) -> None:
    await sandbox.configure(miss=0.25, providers={"hunter": {"miss": 0.5}, "clay": {"errors": 1}})
    await sandbox.configure(providers={"clay": None})
    settings = (await sandbox.get("/_sandbox/settings")).json
    assert (settings["seed"], settings["miss"]) == (7, 0.25)
    assert settings["providers"] == {"hunter": {"miss": 0.5}}
    wrong = await sandbox.configure(miss=1.5)
    assert wrong.status == 400
    assert wrong.json["error"].startswith("miss:")
    assert (await sandbox.configure(nonsense=1)).status == 400
    assert (await sandbox.get("/_sandbox/nothing")).status == 404


def ask_everything(url: str, people: list[str]) -> dict[str, bytes]:
    answers = {}
    with httpx.Client(base_url=url, headers={"x-api-key": "k"}) as client:
        for name in people:
            answers[f"apollo {name}"] = client.post(
                "/apollo/api/v1/people/match", json={"name": name, "organization_name": "Acme"}
            ).content
            answers[f"hunter {name}"] = client.get(
                "/hunter/v2/email-finder", params={"full_name": name, "domain": "acme.com"}
            ).content
            answers[f"http {name}"] = client.post("/http/enrich", json={"full_name": name}).content
        answers["zenrows"] = client.get("/zenrows/v1/", params={"apikey": "k", "url": "https://acme.com"}).content
    return answers


def test_two_processes_give_the_same_answers_and_the_same_faults_in_any_order() -> None:
    people = [f"Ann Number{number}" for number in range(15)]
    with SandboxProcess(seed=3, miss=0.2, errors=0.2, garbage=0.1) as one:
        first = ask_everything(one.url, people)
    with SandboxProcess(seed=3, miss=0.2, errors=0.2, garbage=0.1) as two:
        assert ask_everything(two.url, list(reversed(people))) == first
    with SandboxProcess(seed=4, miss=0.2, errors=0.2, garbage=0.1) as other:
        assert ask_everything(other.url, people) != first


def test_a_sandbox_process_bills_is_configured_and_stops() -> None:
    with SandboxProcess(SandboxSettings(seed=5), miss=1) as sandbox:
        assert httpx.get(f"{sandbox.url}/_sandbox/health").json()["seed"] == 5
        asked = {"json": MARIA, "headers": {"x-api-key": "k"}}
        assert httpx.post(f"{sandbox.url}/apollo/api/v1/people/match", **asked).json()["person"] is None
        assert sandbox.configure(miss=0)["miss"] == 0
        assert httpx.post(f"{sandbox.url}/apollo/api/v1/people/match", **asked).json()["person"]
        assert sandbox.billing()["units"] == "1"
        assert "subjects" not in sandbox.billing(subjects=False)
        assert [call["outcome"] for call in sandbox.calls()] == ["not_found", "found"]
        assert sandbox.callbacks()["planned"] == 0
        with pytest.raises(ValueError, match="errors:"):
            sandbox.configure(errors=7)
        url = sandbox.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_sandbox/health")


def test_a_sandbox_process_stops_while_a_call_hangs() -> None:
    with SandboxProcess(timeouts=1) as sandbox:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{sandbox.url}/http/enrich", json=ROW, timeout=0.3)
        assert sandbox.billing()["units"] == "1"
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url)


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with SandboxProcess() as sandbox:
        port = sandbox.url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "enrichment_assets.sandbox", "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_teaches_and_refuses_what_cannot_be() -> None:
    app = typer.Typer()
    app.command("other")(lambda: None)
    register(app)
    helped = CliRunner().invoke(app, ["sandbox", "--help"], env={"COLUMNS": "200"})
    assert "--callback-drop" in helped.output
    assert "Example" in helped.output
    refused = CliRunner().invoke(app, ["sandbox", "--provider", "hunter:misses=2"])
    assert isinstance(refused.exception, ConfigurationError)
    assert "misses" in str(refused.exception)
