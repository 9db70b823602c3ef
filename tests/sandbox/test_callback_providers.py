"""Clay, n8n and the generic provider: rows in, callbacks out, and what can happen to a callback on its way."""

from __future__ import annotations

import asyncio
import time

import orjson
import pytest

from .conftest import Client, Listener

COMPANY = {"company_name": "Acme Labs", "company_domain": "acme-labs.com", "item_id": "i-1"}
PERSON = {"first_name": "Maria", "last_name": "Keller", "company_domain": "acme-labs.com", "item_id": "i-2"}


async def send_rows(sandbox: Client, listener: Listener, count: int, path: str = "/clay/tables/t1/webhook") -> None:
    for number in range(count):
        await sandbox.post(path, {**COMPANY, "item_id": number, "callback_url": listener.url})


async def test_clay_accepts_a_row_and_posts_the_enriched_company_back(sandbox: Client, listener: Listener) -> None:
    got = await sandbox.post("/clay/tables/t1/webhook", {**COMPANY, "callback_url": listener.url})
    assert (got.status, got.json) == (200, {"success": True})
    await listener.wait_for(1)
    sent = orjson.loads(listener.bodies[0])
    assert sent["status"] == "found"
    assert (sent["item_id"], sent["name"], sent["domain"]) == ("i-1", "Acme Labs", "acme-labs.com")
    assert {"industry", "employee_count", "size", "description", "headquarters", "technologies"} <= set(sent)
    assert "callback_url" not in sent


async def test_clay_posts_a_person_for_a_row_that_names_one(sandbox: Client, listener: Listener) -> None:
    await sandbox.post("/clay/tables/t1/webhook", {**PERSON, "callback_url": listener.url})
    await listener.wait_for(1)
    person = orjson.loads(listener.bodies[0])
    assert person["name"] == "Maria Keller"
    assert 3 <= len(person["experience"]) <= 9
    assert person["experience"][0]["company"] == "Acme Labs"


async def test_clay_says_not_found_in_the_callback(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(miss=1)
    await send_rows(sandbox, listener, 1)
    await listener.wait_for(1)
    sent = orjson.loads(listener.bodies[0])
    assert sent == {"item_id": 0, "status": "not_found"}


async def test_clay_refuses_a_wrong_token_and_a_row_over_100_kilobytes(sandbox: Client) -> None:
    path = "/clay/tables/t1/webhook"
    assert (await sandbox.post(path, COMPANY, headers={"x-clay-webhook-auth": "invalid"})).status == 401
    assert (await sandbox.post(path, COMPANY, headers={"x-clay-webhook-auth": "right"})).status == 200
    assert (await sandbox.post(path, {"note": "x" * 110_000})).status == 413


async def test_a_clay_table_is_full_at_its_quota(sandbox: Client) -> None:
    await sandbox.configure(providers={"clay": {"quota": 2}})
    path = "/clay/tables/{}/webhook"
    statuses = [(await sandbox.post(path.format("t1"), {"item_id": number})).status for number in range(3)]
    assert statuses == [200, 200, 403]
    assert (await sandbox.post(path.format("t2"), COMPANY)).status == 200


async def test_a_row_says_itself_whether_it_is_about_a_person_or_a_company(sandbox: Client, listener: Listener) -> None:
    for entity in ("person", "company"):
        await sandbox.post("/clay/tables/t1/webhook", {**PERSON, "entity": entity, "callback_url": listener.url})
    await sandbox.post("/_sandbox/flush-callbacks")
    about = {"experience" in orjson.loads(body): orjson.loads(body)["name"] for body in listener.bodies}
    assert about == {True: "Maria Keller", False: "Acme Labs"}
    assert (await sandbox.billing())["money"] == "0.15"


async def test_two_items_with_one_question_get_one_answer_and_a_bill_each(sandbox: Client) -> None:
    bodies = [{"domain": "acme.com", "item": {"id": number, "batch": "b"}} for number in (1, 2)]
    one, two = [(await sandbox.post("/n8n/webhook/q?respond=end", body)).json for body in bodies]
    assert one["result"] == two["result"]
    bill = await sandbox.billing()
    assert bill["double_charges"] == []
    assert [subject["subject"] for subject in bill["subjects"]] == ["q|id=1", "q|id=2"]


async def test_n8n_answers_at_once_and_posts_the_result_later(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(callback_delay="150ms")
    got = await sandbox.post("/n8n/webhook/qualify", {**COMPANY, "callback_url": listener.url})
    assert got.json == {"message": "Workflow got started"}
    assert listener.bodies == []
    await listener.wait_for(1)
    sent = orjson.loads(listener.bodies[0])
    assert sent["item_id"] == "i-1"
    assert 0 <= sent["result"]["fit_score"] <= 100
    assert sent["result"]["company"]["name"] == "Acme Labs"


async def test_n8n_can_answer_at_the_end_and_knows_workflows_that_are_not_active(sandbox: Client) -> None:
    got = await sandbox.post("/n8n/webhook/qualify?respond=end", COMPANY)
    assert got.json["result"]["summary"].startswith("Acme Labs is a ")
    missing = await sandbox.post("/n8n/webhook/unregistered-flow", COMPANY)
    assert missing.status == 404
    assert "not registered" in missing.json["message"]


async def test_the_generic_provider_accepts_calls_back_and_can_be_polled(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(callback_delay="200ms")
    got = await sandbox.post("/http/enrich?bytes=2048", {**COMPANY, "callback_url": listener.url})
    assert got.status == 202
    path = f"/http/results/{got.json['id']}"
    assert (await sandbox.get(path)).status == 202
    await listener.wait_for(1)
    polled = await sandbox.get(path)
    assert polled.status == 200
    assert polled.body == listener.bodies[0]
    assert len(polled.body) == 2048


@pytest.mark.parametrize("size", [1500, 2048, 10_000])
async def test_the_generic_provider_answers_in_exactly_so_many_bytes(sandbox: Client, size: int) -> None:
    got = await sandbox.post(f"/http/enrich?bytes={size}", COMPANY)
    assert len(got.body) == size
    assert got.json["company"]["name"] == "Acme Labs"


async def test_dropped_callbacks_never_come_and_are_the_same_ones_every_time(
    sandbox: Client, listener: Listener
) -> None:
    await sandbox.configure(callback_drop=0.3)
    rounds = []
    for _ in range(2):
        await send_rows(sandbox, listener, 40)
        await sandbox.post("/_sandbox/flush-callbacks")
        rounds.append(set(listener.items))
        listener.bodies.clear()
        await sandbox.post("/_sandbox/reset")
    assert rounds[0] == rounds[1]
    assert 0 < len(rounds[0]) < 40


async def test_a_question_asked_again_has_another_callback_fate(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(callback_drop=0.5)
    for _ in range(12):
        await send_rows(sandbox, listener, 1)
    await sandbox.post("/_sandbox/flush-callbacks")
    assert 0 < len(listener.bodies) < 12


async def test_duplicated_callbacks_come_twice_with_the_same_bytes(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(callback_duplicate=0.5)
    await send_rows(sandbox, listener, 20)
    await sandbox.post("/_sandbox/flush-callbacks")
    counts = (await sandbox.get("/_sandbox/callbacks")).json
    assert 0 < counts["duplicated"] < 20
    assert len(listener.bodies) == 20 + counts["duplicated"]
    assert len(set(listener.bodies)) == 20


async def test_a_late_callback_comes_after_the_others(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(callback_late=0.3, callback_late_by="400ms")
    began = time.monotonic()
    await send_rows(sandbox, listener, 10)
    late = (await sandbox.get("/_sandbox/callbacks")).json["late"]
    await listener.wait_for(10 - late)
    assert time.monotonic() - began < 0.4
    await listener.wait_for(10)
    assert 0 < late < 10
    assert time.monotonic() - began >= 0.4


async def test_shuffled_callbacks_come_in_an_order_that_only_the_seed_decides(
    sandbox: Client, listener: Listener
) -> None:
    orders = []
    for seed in (1, 1, 2):
        await sandbox.configure(seed=seed, shuffle_callbacks=True, hold_callbacks=True)
        await send_rows(sandbox, listener, 15)
        assert listener.bodies == []
        flushed = (await sandbox.post("/_sandbox/flush-callbacks")).json
        assert flushed["flushed"] == 15
        orders.append(listener.items)
        listener.bodies.clear()
        await sandbox.post("/_sandbox/reset")
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(15)) != orders[0]


async def test_without_a_flush_shuffled_callbacks_arrive_by_themselves_out_of_order(
    sandbox: Client, listener: Listener
) -> None:
    await sandbox.configure(shuffle_callbacks=True, shuffle_window=0.5)
    await send_rows(sandbox, listener, 20)
    await listener.wait_for(20)
    assert sorted(listener.items) == list(range(20)) != listener.items


async def test_held_callbacks_that_are_not_shuffled_keep_their_order(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(hold_callbacks=True)
    await send_rows(sandbox, listener, 10)
    await sandbox.post("/_sandbox/flush-callbacks")
    assert listener.items == list(range(10))


async def test_a_garbage_callback_cannot_be_read(sandbox: Client, listener: Listener) -> None:
    await sandbox.configure(callback_garbage=1, garbage_kind="invalid")
    await send_rows(sandbox, listener, 1)
    await listener.wait_for(1)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(listener.bodies[0])


async def test_a_callback_that_is_refused_is_never_sent_again(sandbox: Client, listener: Listener) -> None:
    listener.status = 503
    await send_rows(sandbox, listener, 3)
    await listener.wait_for(3)
    await asyncio.sleep(0.2)
    counts = (await sandbox.get("/_sandbox/callbacks")).json
    assert (counts["sent"], counts["refused"], counts["delivered"], counts["pending"]) == (3, 3, 0, 0)
    assert len(listener.bodies) == 3


async def test_a_callback_to_nobody_is_counted_as_failed(sandbox: Client) -> None:
    await sandbox.post("/clay/tables/t1/webhook", {**COMPANY, "callback_url": "http://127.0.0.1:1/callbacks/x"})
    counts = (await sandbox.post("/_sandbox/flush-callbacks")).json
    assert (counts["failed"], counts["pending"]) == (1, 0)


@pytest.mark.parametrize("flushed", [False, True])
async def test_a_callback_is_pending_until_it_is_answered(sandbox: Client, listener: Listener, flushed: bool) -> None:
    await sandbox.configure(hold_callbacks=flushed)
    listener.may_answer.clear()
    await send_rows(sandbox, listener, 1)
    flushing = asyncio.create_task(sandbox.post("/_sandbox/flush-callbacks") if flushed else asyncio.sleep(0))
    await listener.wait_for(1)
    assert (await sandbox.get("/_sandbox/callbacks")).json["pending"] == 1
    listener.may_answer.set()
    await flushing
    async with asyncio.timeout(5):
        while (report := (await sandbox.get("/_sandbox/callbacks")).json)["pending"]:  # noqa: ASYNC110 - it asks the sandbox
            await asyncio.sleep(0.01)
    assert report["delivered"] == 1
