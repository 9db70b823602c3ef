"""Whatever a provider answers or calls back with, a batch goes on and the bytes are kept."""

from __future__ import annotations

import pytest

from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, async_step, people, step

HOSTILE = {
    "nul": b'{"found": true, "id": "a\\u0000b", "x\\u0000": 1}',
    "raw-nul": b'{"found": true, "id": "a\x00b"}',
    "deep": b'{"found": true, "id": ' + b"[" * 400 + b"]" * 400 + b"}",
    "deeper": b"[" * 100_000 + b"]" * 100_000,
    "just-too-deep": b'{"found": true, "id": ' + b"[" * 253 + b"]" * 253 + b"}",
    "surrogate": b'{"found": true, "id": "\\ud800"}',
    "surrogate-beside-a-long-number": b'{"found": true, "id": "\\ud800", "n": 123456789012345678901234567890}',
    "long-number": b'{"found": true, "id": "x", "n": 123456789012345678901234567890}',
    "infinite": b'{"found": true, "id": "x", "n": 1e999}',
    "not-utf-8": b'{"found": true, "id": "\xff\xfe"}',
    "empty": b"",
    "list": b"[1, 2]",
    "null": b"null",
    "text": b'"found"',
    "huge": b'{"found": true, "id": "x", "text": "' + b"y" * 5_000_000 + b'"}',
    "absurd-cost": b'{"found": true, "id": "x", "cost": 1e300}',
    "endless-cost": b'{"found": true, "id": "x", "cost": "1e999999"}',
    "negative-cost": b'{"found": true, "id": "x", "cost": -5}',
    "many-members": b'{"found": true, "id": "x"' + b"".join(b',"k%d":%d' % (n, n) for n in range(50_000)) + b"}",
    "long-name": b'{"found": true, "id": "x", "' + b"n" * 100_000 + b'": 1}',
}
PRICED = {
    "price": {"estimate": "0.01", "per_unit": "0.5"},
    "response": {"found_if": "found", "cost": "cost"},
}


def test_every_hostile_answer_ends_its_item_only_and_its_bytes_are_kept(harness: BatchHarness) -> None:
    rows = [{"first_name": "Ann", "n": name} for name in [*HOSTILE, "fine"]]
    with answering() as server:
        server.bodies = {f"/{name}": body for name, body in HOSTILE.items()}
        request = {"url": server.url + "/{{original.n}}", "body": {"n": "{{original.n}}"}}
        batch = harness.launch(rows, step("first", request=request, **PRICED), step("later", uses=["first"]))
        batch.set_budget("1000000")
        assert batch.run().finished
        assert all(count == 1 for count in server.asked.values())
    ended = {state["row_number"]: state["status"] for state in batch.states("first")}
    by_name = dict(zip([*HOSTILE, "fine"], (ended[n] for n in sorted(ended)), strict=True))
    assert by_name["fine"] == by_name["long-number"] == by_name["nul"] == by_name["absurd-cost"] == "COMPLETED"
    assert by_name["surrogate"] == "COMPLETED"
    assert by_name["deep"] == by_name["raw-nul"] == by_name["empty"] == "FAILED"
    kept = {bytes(call["response_body"]) for call in batch.calls("first")}
    assert set(HOSTILE.values()) <= kept
    assert batch.statuses("later") == {"COMPLETED": len(rows)}
    (budget,) = batch.budgets()
    assert budget.reserved == 0
    assert budget.spent == batch.rows("select sum(cost) as cost from provider_calls")[0]["cost"]


def test_hostile_headers_neither_break_the_batch_nor_set_a_price(harness: BatchHarness) -> None:
    with answering() as server:
        server.headers = {"retry-after": "1e309", "x-odd": "caf\xe9 \x7f", "x-request-cost": "1e400"}
        batch = harness.launch(people(2), step("first", request={"url": server.url + "/x", "body": {}}))
        assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 2}


@pytest.mark.parametrize("name", ["nul", "deep", "surrogate", "empty", "huge", "list", "not-utf-8", "endless-cost"])
def test_a_hostile_callback_ends_its_item_only(harness: BatchHarness, name: str) -> None:
    batch = harness.launch(
        people(2), async_step("slow", **{**PRICED, "response": {"external_id": "id", "cost": "cost"}})
    )
    batch.run()
    bad, good = batch.calls()
    batch.call_back(bad, HOSTILE[name])
    batch.call_back(good, {"found": True, "id": "fine"})
    assert batch.run().finished
    assert batch.state("slow", 2)["outcome"] == "found"
    assert batch.state("slow", 1)["status"] in ("COMPLETED", "FAILED")
    assert bytes(batch.inbox()[0]["body"]) == HOSTILE[name]
    assert {row["status"] for row in batch.inbox()} <= {"applied", "dead"}


def test_a_value_that_the_database_refuses_fails_one_item_and_its_callback_is_a_dead_letter(
    harness: BatchHarness,
) -> None:
    batch = harness.launch(people(2), async_step("slow"))
    batch.change(
        """create function refuse() returns trigger language plpgsql as
           $$ begin raise exception 'refused' using errcode = '22P05'; end $$"""
    )
    batch.change(
        """create trigger refuse before insert on enrichment_results for each row
           when (new.payload ->> 'id' = 'refused') execute function refuse()"""
    )
    batch.run()
    first, second = batch.calls()
    batch.call_back(first, {"found": True, "id": "refused"})
    batch.call_back(second, {"found": True, "id": "fine"})
    assert batch.run().finished
    state = batch.state("slow", 1)
    assert (state["status"], state["error_class"]) == ("FAILED", "contract")
    assert "refuses the payload" in state["reason"]
    assert [row["status"] for row in batch.inbox()] == ["dead", "applied"]
    assert batch.state("slow", 2)["outcome"] == "found"
