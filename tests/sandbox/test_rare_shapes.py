"""The rarer shapes of real answers: asked for by a setting, a property of the subject, the same every time."""

from __future__ import annotations

from typing import Any

import orjson

from .conftest import APOLLO_KEY, MARIA, Client, Listener

RARE = {"x-sandbox-scenario": "rare-shapes"}
RARE_AND_MISSED = {"x-sandbox-scenario": "rare-shapes,miss"}


async def _reveal(sandbox: Client, listener: Listener, count: int, scenario: str) -> list[list[dict[str, Any]]]:
    """The phone numbers that webhooks brought for so many people, of those who have any."""
    for number in range(count):
        asked = {"name": f"Ann Number{number}", "domain": "acme.com", "reveal_phone_number": True}
        await sandbox.match({**asked, "webhook_url": listener.url}, scenario)
    await listener.wait_for(count)
    people = [person for body in listener.bodies for person in orjson.loads(body)["people"]]
    assert all((person["status"] == "success") == bool(person["phone_numbers"]) for person in people)
    return [person["phone_numbers"] for person in people if person["phone_numbers"]]


async def test_usual_phones_are_one_callable_mobile_number_each(sandbox: Client, listener: Listener) -> None:
    numbers = [number for phones in await _reveal(sandbox, listener, 30, "") for number in phones]
    assert {(one["type_cd"], one["status_cd"], one["position"]) for one in numbers} == {("mobile", "valid_number", 0)}
    assert {one["dnc_status_cd"] for one in numbers} == {None, "not_found"}


async def test_rarer_phones_are_dead_or_listed_or_a_switchboard_or_out_of_rank(
    sandbox: Client, listener: Listener
) -> None:
    everybody = await _reveal(sandbox, listener, 60, "rare-shapes")
    firsts = {(phones[0]["type_cd"], phones[0]["status_cd"]) for phones in everybody}
    assert {("other", "invalid_number"), ("work_hq", "valid_number"), ("work_direct", "no_status")} <= firsts
    assert any(phones[0]["sanitized_number"] is None and phones[1]["sanitized_number"] for phones in everybody)
    assert any([one["position"] for one in phones] == [1, 0] for phones in everybody)
    listed = [one for phones in everybody for one in phones if one["dnc_status_cd"] == "found"]
    assert listed[0]["dnc_other_info"] == {"country": "US"}
    assert listed[0]["dnc_status_updated_at"].endswith("+00:00")


async def test_a_request_id_is_a_number_at_first_and_a_text_later(sandbox: Client, listener: Listener) -> None:
    got = await sandbox.match({**MARIA, "reveal_phone_number": True, "webhook_url": listener.url})
    await listener.wait_for(1)
    number = got.json["request_id"]
    polled = (await sandbox.get(f"/apollo/api/v1/webhook_result/{number}", headers=APOLLO_KEY)).json
    assert orjson.loads(listener.bodies[0])["request_id"] == polled["request_id"] == str(number)
    assert (polled["webhook_status"], polled["failure_reason"]) == ("success", None)


async def test_a_waterfall_says_what_it_found_and_writes_its_verdicts_with_a_capital(
    sandbox: Client, listener: Listener
) -> None:
    for number in range(12):
        asked = {"name": f"Ann Number{number}", "domain": "acme.com", "run_waterfall_email": True}
        await sandbox.match({**asked, "run_waterfall_phone": True, "webhook_url": listener.url})
    await listener.wait_for(12)
    bodies = [orjson.loads(body) for body in listener.bodies]
    emails = [email for body in bodies for email in body["people"][0]["emails"]]
    assert {email["email_status_cd"] for email in emails} == {"Verified"}
    assert sum(body["email_records_enriched"] for body in bodies) == len(emails)
    assert all(body["email_records_enriched"] + body["email_records_not_found"] == 1 for body in bodies)
    phones = [phone for body in bodies for phone in body["people"][0]["phone_numbers"]]
    assert {(one["type_cd"], one["status_cd"], one["confidence_cd"]) for one in phones} == {(None, "no_status", None)}


async def test_poll_only_promises_a_result_without_a_webhook(sandbox: Client) -> None:
    got = await sandbox.match({**MARIA, "reveal_phone_number": True, "poll_only": True})
    polled = await sandbox.get(f"/apollo/api/v1/webhook_result/{got.json['request_id']}", headers=APOLLO_KEY)
    assert polled.json["webhook_result"]["people"][0]["id"] == got.json["person"]["id"]
    assert (await sandbox.get("/_sandbox/callbacks")).json["planned"] == 0


async def test_a_rarer_person_comes_with_a_contact_who_may_be_somebody_else(sandbox: Client) -> None:
    people = [(await sandbox.match({"name": f"Ann N{n}", "domain": "acme.com"}, "rare-shapes")).json for n in range(20)]
    same = [one["person"]["contact"]["person_id"] == one["person"]["id"] for one in people]
    assert {True, False} == set(same)
    contact = people[0]["person"]["contact"]["phone_numbers"][0]
    assert {"type", "status", "dnc_status", "dialer_flags"} <= set(contact)
    assert "type_cd" not in contact
    organisation = people[0]["person"]["organization"]
    assert (organisation["primary_phone"], organisation["phone"]) == ({}, None)
    assert isinstance(organisation["annual_revenue"], float)


async def test_rarer_shapes_are_a_share_of_subjects_and_stay_theirs(sandbox: Client) -> None:
    await sandbox.configure(rare_shapes=0.3)
    asked = [{"name": f"Ann N{n}", "domain": "acme.com"} for n in range(40)]
    first = ["contact" in (await sandbox.match(one)).json["person"] for one in asked]
    again = ["contact" in (await sandbox.match(one)).json["person"] for one in asked]
    assert first == again
    assert 4 <= sum(first) <= 20


async def test_a_rarer_finder_does_not_know_whether_the_domain_takes_everything(sandbox: Client) -> None:
    path = "/hunter/v2/email-finder?domain=acme-labs.com&first_name=Maria&last_name=Keller"
    got = (await sandbox.get(path, headers={"X-API-KEY": "k", **RARE})).json["data"]
    assert got["email"].endswith("@acme-labs.com")
    assert (got["accept_all"], got["verification"]) == (None, {"date": None, "status": None})


async def test_clay_speaks_in_its_own_names_only(sandbox: Client, listener: Listener) -> None:
    person = {**MARIA, "item_id": "1", "entity": "person", "callback_url": listener.url}
    company = {"company_domain": "acme-labs.com", "item_id": "2", "entity": "company", "callback_url": listener.url}
    for row in (person, company):
        await sandbox.post("/clay/tables/t/webhook", row, headers=RARE)
    await listener.wait_for(2)
    got = {body["item_id"]: body for body in map(orjson.loads, listener.bodies)}
    assert {"url", "location_name", "latest_experience", "enrichments"} <= set(got["1"])
    assert not {"linkedin_url", "location", "email"} & set(got["1"])
    assert (got["2"]["annual_revenue"], got["2"]["total_funding_amount_range_usd"]) == ("1M-5M", "Funding unknown")


async def test_n8n_changes_large_numbers_and_its_last_node_posts_in_many_forms(
    sandbox: Client, listener: Listener
) -> None:
    usual = {"item_id": "0", "company_name": "Acme", "request_id": 1039995589705121907, "small": 9007199254740991}
    await sandbox.post("/n8n/webhook/run", {**usual, "callback_url": listener.url})
    await listener.wait_for(1)
    back = orjson.loads(listener.bodies[0])
    # JSON.stringify(1039995589705121907) in JavaScript writes the shortest digits of the nearest double.
    assert (back["request_id"], back["small"]) == (1039995589705121900, 9007199254740991)
    for number in range(40):
        row = {"item_id": str(number), "company_name": f"Acme {number}", "callback_url": listener.url}
        await sandbox.post("/n8n/webhook/run", row, headers=RARE if number < 30 else RARE_AND_MISSED)
    await listener.wait_for(41)
    forms = [orjson.loads(body) for body in listener.bodies[1:]]
    assert {type(form).__name__ for form in forms} == {"list", "dict", "str"}
    assert any(isinstance(form, dict) and "pairedItem" in form for form in forms)
    assert {} in forms
    assert {"result": None} in forms
