"""Apollo's contract: shapes, headers, errors, bulk limits, request ids, webhooks and polls."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson

from .conftest import APOLLO_KEY, MARIA, Client, Listener

EMPLOYMENT_KEYS = {
    *("_id", "id", "key", "created_at", "updated_at", "current", "title", "organization_id", "organization_name"),
    *("start_date", "end_date", "description", "degree", "grade_level", "kind", "major", "emails", "raw_address"),
}
PERSON_KEYS = {
    *("id", "first_name", "last_name", "name", "linkedin_url", "title", "email_status", "photo_url", "twitter_url"),
    *("github_url", "facebook_url", "extrapolated_email_confidence", "headline", "email", "organization_id"),
    *("employment_history", "state", "city", "country", "revealed_for_current_team", "organization"),
    *("is_likely_to_engage", "show_intent", "departments", "subdepartments", "functions", "seniority"),
}
PHONE_KEYS = {
    *("raw_number", "sanitized_number", "type_cd", "status_cd", "confidence_cd", "dnc_status_cd", "position"),
    *("dnc_status_updated_at", "dnc_other_info", "direct_dial_source_cd"),
}
ORGANISATION_KEYS = {
    *("id", "name", "website_url", "primary_domain", "estimated_num_employees", "industry", "annual_revenue"),
    *("technology_names", "funding_events", "short_description", "founded_year", "keywords", "linkedin_url"),
    *("raw_address", "street_address", "city", "state", "postal_code", "country", "primary_phone", "languages"),
    *("total_funding", "latest_funding_round_date", "latest_funding_stage", "current_technologies", "industries"),
}


async def test_a_match_has_every_documented_key_and_echoes_the_name_and_company_asked_for(sandbox: Client) -> None:
    got = await sandbox.match({"first_name": "Zoë", "last_name": "O'Neil", "organization_name": "Åre Golf & Spa, Inc."})
    assert got.status == 200
    assert got.headers["content-type"].startswith("application/json")
    person = got.json["person"]
    assert set(person) == PERSON_KEYS
    assert set(person["organization"]) >= ORGANISATION_KEYS
    assert (person["first_name"], person["last_name"], person["name"]) == ("Zoë", "O'Neil", "Zoë O'Neil")
    assert person["organization"]["name"] == "Åre Golf & Spa, Inc."
    assert person["employment_history"][0]["organization_name"] == "Åre Golf & Spa, Inc."
    assert person["organization_id"] == person["organization"]["id"]
    assert all(set(entry) == EMPLOYMENT_KEYS for entry in person["employment_history"])


async def test_careers_have_three_to_eight_jobs_and_the_flaws_of_real_ones(sandbox: Client) -> None:
    histories = []
    for number in range(300):
        got = await sandbox.match({"first_name": "Pat", "last_name": f"Number{number}", "domain": "acme.com"})
        histories.append(got.json["person"]["employment_history"])
    entries = [entry for history in histories for entry in history]
    jobs = [len({entry["id"] for entry in history if entry["kind"] is None}) for history in histories]
    assert (min(jobs), max(jobs)) == (3, 8)
    assert any(entry["kind"] == "education" and entry["degree"] for entry in entries)
    starts = [entry["start_date"] for entry in entries if entry["kind"] is None]
    assert None in starts
    shapes = {re.sub(r"\d", "9", start) for start in starts if start}
    assert shapes == {"9999", "9999-99", "9999-99-99"}
    ended = [(e["start_date"], e["end_date"]) for e in entries if e["start_date"] and e["end_date"]]
    assert any(end[:4] < start[:4] for start, end in ended)
    assert any(entry["organization_id"] is None for entry in entries)
    assert any(len(history) != len({entry["id"] for entry in history}) for history in histories)


async def test_some_unrevealed_people_have_the_placeholder_address_and_some_have_none(sandbox: Client) -> None:
    found = []
    for number in range(80):
        got = await sandbox.match({"name": f"Lee Number{number}", "organization_name": "Acme"})
        found.append((got.json["person"]["email"], got.json["person"]["email_status"]))
    assert ("email_not_unlocked@domain.com", "unavailable") in found
    assert (None, "unavailable") in found
    assert any(status == "verified" and email.endswith("@acme.com") for email, status in found if email)


async def test_a_missing_or_unknown_key_is_401_in_plain_text(sandbox: Client) -> None:
    for headers in ({}, {"x-api-key": "invalid-key"}):
        got = await sandbox.post("/apollo/api/v1/people/match", MARIA, headers=headers)
        assert got.status == 401
        assert got.headers["content-type"].startswith("text/plain")
        assert got.body.startswith(b"Invalid API key.")


async def test_every_answer_says_what_is_left_of_the_limits(sandbox: Client) -> None:
    await sandbox.configure(limits="3/m,100/h")
    left = []
    for number in range(4):
        got = await sandbox.match({"name": f"Ann Number{number}", "domain": "acme.com"})
        left.append((got.status, got.headers["x-minute-requests-left"], got.headers["x-hourly-requests-left"]))
    assert left == [(200, "2", "99"), (200, "1", "98"), (200, "0", "97"), (429, "0", "96")]
    assert 1 <= int(got.headers["retry-after"]) <= 60
    assert "maximum number of api calls" in got.json["message"]
    assert got.headers["x-24-hour-requests-left"].isdigit()


async def test_limits_are_counted_per_key_and_per_endpoint(sandbox: Client) -> None:
    await sandbox.configure(providers={"apollo": {"limits": "1/m"}})
    assert (await sandbox.match()).status == 200
    assert (await sandbox.match()).status == 429
    assert (await sandbox.match(**{"x-api-key": "key-two"})).status == 200
    enriched = await sandbox.get("/apollo/api/v1/organizations/enrich?domain=acme.com", headers=APOLLO_KEY)
    assert enriched.status == 200


async def test_bulk_match_takes_ten_and_answers_null_for_a_miss(sandbox: Client) -> None:
    await sandbox.configure(miss=0.5)
    details = [{"first_name": "Ann", "last_name": f"Number{n}", "domain": "acme.com"} for n in range(10)]
    got = await sandbox.post("/apollo/api/v1/people/bulk_match", {"details": details}, headers=APOLLO_KEY)
    body = got.json
    missed = [match for match in body["matches"] if match is None]
    assert body["status"] == "success"
    assert len(body["matches"]) == body["total_requested_enrichments"] == 10
    assert 0 < len(missed) == body["missing_records"] < 10
    assert body["unique_enriched_records"] == body["credits_consumed"] == 10 - len(missed)
    singles = [(await sandbox.match(one)).json["person"] for one in details]
    assert body["matches"] == singles


async def test_bulk_errors_are_the_documented_ones(sandbox: Client) -> None:
    path = "/apollo/api/v1/people/bulk_match"
    empty = await sandbox.post(path, {}, headers=APOLLO_KEY)
    assert (empty.status, empty.json["error_code"]) == (400, "INVALID_REQUEST")
    eleven = await sandbox.post(path, {"details": [MARIA] * 11}, headers=APOLLO_KEY)
    assert (eleven.status, eleven.json["error_code"]) == (400, "RECORD_LIMIT_EXCEEDED")


async def test_an_organisation_is_found_by_domain_or_url_and_in_bulk(sandbox: Client) -> None:
    base = "/apollo/api/v1/organizations"
    one = await sandbox.get(f"{base}/enrich?domain=acme-labs.com", headers=APOLLO_KEY)
    same = await sandbox.get(f"{base}/enrich?domain=https://www.acme-labs.com/about", headers=APOLLO_KEY)
    assert one.json["organization"]["name"] == "Acme Labs"
    assert one.json == same.json
    bulk = await sandbox.post(f"{base}/bulk_enrich", {"domains": ["acme-labs.com", "b.com"]}, headers=APOLLO_KEY)
    assert bulk.json["organizations"][0] == one.json["organization"]
    assert bulk.json["unique_enriched_records"] == 2
    assert (await sandbox.get(f"{base}/enrich", headers=APOLLO_KEY)).status == 422


async def test_a_person_not_found_is_null_and_free(sandbox: Client) -> None:
    got = await sandbox.match(scenario="miss")
    assert (got.status, got.json["person"]) == (200, None)
    assert (await sandbox.billing())["units"] == "0"


async def test_request_ids_are_signed_64_bit_integers_and_often_negative(sandbox: Client) -> None:
    numbers = [(await sandbox.match({"name": f"A B{n}", "domain": "a.com"})).json["request_id"] for n in range(40)]
    assert any(number < 0 for number in numbers)
    assert any(number > 0 for number in numbers)
    assert all(isinstance(number, int) and -(2**63) <= number < 2**63 for number in numbers)
    assert any(int(float(number)) != number for number in numbers)


async def test_a_phone_reveal_needs_a_webhook_url(sandbox: Client) -> None:
    got = await sandbox.match({**MARIA, "reveal_phone_number": True})
    assert got.status == 400
    assert "webhook_url" in got.json["error"]


async def test_a_revealed_phone_comes_by_webhook_and_the_same_by_poll(sandbox: Client, listener: Listener) -> None:
    asked = {"name": "Ann Two", "domain": "acme.com", "reveal_phone_number": True, "webhook_url": listener.url}
    got = await sandbox.match(asked)
    assert "phone_numbers" not in got.json["person"]
    await listener.wait_for(1)
    sent: dict[str, Any] = orjson.loads(listener.bodies[0])
    assert sent["people"][0]["id"] == got.json["person"]["id"]
    assert all(
        set(number) == PHONE_KEYS and number["sanitized_number"].startswith("+1")
        for number in sent["people"][0]["phone_numbers"]
    )
    path = f"/apollo/api/v1/webhook_result/{got.json['request_id']}"
    polled = await sandbox.get(path, headers=APOLLO_KEY)
    assert polled.status == 200
    assert polled.json["request_type"] == "phone"
    assert polled.json["webhook_result"] == sent


async def test_phone_numbers_are_known_for_some_people_only_and_only_those_cost_credits(
    sandbox: Client, listener: Listener
) -> None:
    for number in range(20):
        await sandbox.match(
            {
                "name": f"Ann Number{number}",
                "domain": "acme.com",
                "reveal_phone_number": True,
                "webhook_url": listener.url,
            }
        )
    await listener.wait_for(20)
    known = sum(b'"phone_numbers":[{' in body for body in listener.bodies)
    assert 0 < known < 20
    assert (await sandbox.billing())["units"] == str(8 * known)


async def test_a_poll_says_pending_then_unknown_expired_or_invalid_for_good(
    sandbox: Client, listener: Listener
) -> None:
    await sandbox.configure(callback_delay="300ms", result_ttl=0.1)
    got = await sandbox.match({**MARIA, "reveal_phone_number": True, "webhook_url": listener.url})
    base = "/apollo/api/v1/webhook_result"
    pending = await sandbox.get(f"{base}/{got.json['request_id']}", headers=APOLLO_KEY)
    assert (pending.status, pending.json["error_code"]) == (404, "result_pending")
    assert pending.json["retry_after_seconds"] > 0
    unknown = await sandbox.get(f"{base}/-42", headers=APOLLO_KEY)
    assert (unknown.status, unknown.json["error_code"]) == (404, "request_id_unknown")
    invalid = await sandbox.get(f"{base}/abc", headers=APOLLO_KEY)
    assert (invalid.status, invalid.json["error_code"]) == (400, "invalid_request_id")
    await asyncio.sleep(0.5)
    expired = await sandbox.get(f"{base}/{got.json['request_id']}", headers=APOLLO_KEY)
    assert (expired.status, expired.json["error_code"]) == (410, "request_id_expired")


async def test_a_waterfall_bills_half_a_credit_even_for_a_miss(sandbox: Client, listener: Listener) -> None:
    asked = {**MARIA, "run_waterfall_email": True, "webhook_url": listener.url}
    got = await sandbox.match(asked, scenario="miss")
    assert got.json["waterfall"]["status"] == "accepted"
    assert (await sandbox.billing())["units"] == "0.5"
