"""Hunter's inverted codes and ZenRows' headers, costs and response types."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from .conftest import APOLLO_KEY, MARIA, Client

KEY = {"X-API-KEY": "hunter-key"}
FINDER = "/hunter/v2/email-finder?domain=acme-labs.com&first_name=Maria&last_name=Keller"
PAGE = "/zenrows/v1/?apikey=zen-key&url=https://www.acme-labs.com"


async def test_the_finder_gives_the_address_that_apollo_gives_too(sandbox: Client) -> None:
    got = await sandbox.get(FINDER, headers=KEY)
    data = got.json["data"]
    assert got.status == 200
    assert {"email", "score", "verification", "first_name", "last_name", "position", "sources"} <= set(data)
    person = (await sandbox.match(MARIA)).json["person"]
    assert person["email"] == data["email"]
    assert data["position"] == person["title"]


async def test_the_finder_accepts_a_full_name_and_a_company(sandbox: Client) -> None:
    got = await sandbox.get("/hunter/v2/email-finder?company=Acme Labs&full_name=Maria Keller", headers=KEY)
    assert got.json["data"]["email"].endswith("@acmelabs.com")
    assert got.json["data"]["company"] == "Acme Labs"


async def test_an_address_not_found_is_null_and_free(sandbox: Client) -> None:
    got = await sandbox.get(FINDER, headers={**KEY, "x-sandbox-scenario": "miss"})
    assert (got.status, got.json["data"]["email"], got.json["data"]["score"]) == (200, None, None)
    assert (await sandbox.billing())["units"] == "0"


async def test_a_domain_search_pages_through_the_people_of_a_domain(sandbox: Client) -> None:
    first = await sandbox.get("/hunter/v2/domain-search?domain=acme.com&limit=3", headers=KEY)
    second = await sandbox.get("/hunter/v2/domain-search?domain=acme.com&limit=3&offset=3", headers=KEY)
    emails = [email["value"] for page in (first, second) for email in page.json["data"]["emails"]]
    assert len(emails) == len(set(emails)) == 6
    assert all(email.endswith("@acme.com") for email in emails)
    listed = first.json["data"]["emails"][0]
    assert {"type", "confidence", "first_name", "last_name", "position", "seniority", "department"} <= set(listed)
    assert {"verification", "sources"} <= set(listed)
    assert first.json["data"]["pattern"]
    assert first.json["meta"]["limit"] == 3


async def test_the_verifier_knows_every_status(sandbox: Client) -> None:
    seen = set()
    for number in range(60):
        got = await sandbox.get(f"/hunter/v2/email-verifier?email=ann.n{number}@company{number}.com", headers=KEY)
        seen.add(got.json["data"]["status"])
        assert 0 <= got.json["data"]["score"] <= 100
    for email in ("a@gmail.com", "a@mailinator.com"):
        seen.add((await sandbox.get(f"/hunter/v2/email-verifier?email={email}", headers=KEY)).json["data"]["status"])
    assert {"valid", "invalid", "accept_all", "webmail", "disposable"} <= seen
    assert (await sandbox.billing())["units"] == "31.0"


@pytest.mark.parametrize(
    ("scenario", "status", "name"),
    [
        ("rate-limited", 403, "too_many_requests"),
        ("no-credit", 429, "usage_limit"),
        ("blocked", 451, "claimed_email"),
        ("unavailable", 503, "internal_error"),
    ],
)
async def test_hunter_has_codes_of_its_own(sandbox: Client, scenario: str, status: int, name: str) -> None:
    got = await sandbox.get(FINDER, headers={**KEY, "x-sandbox-scenario": scenario})
    assert got.status == status
    assert got.json["errors"][0]["id"] == name
    assert got.json["errors"][0]["code"] == status
    assert (await sandbox.billing())["units"] == "0"


async def test_202_means_ask_the_same_again(sandbox: Client) -> None:
    await sandbox.configure(providers={"hunter": {"later": 1}})
    path = "/hunter/v2/email-verifier?email=ann@acme.com"
    assert [(await sandbox.get(path, headers=KEY)).status for _ in range(2)] == [202, 200]
    assert (await sandbox.billing())["units"] == "0.5"


async def test_222_means_that_the_mail_server_failed_and_the_next_verification_may_not(sandbox: Client) -> None:
    await sandbox.configure(providers={"hunter": {"remote_failures": 1}})
    path = "/hunter/v2/email-verifier?email=ann@acme.com"
    assert [(await sandbox.get(path, headers=KEY)).status for _ in range(2)] == [222, 200]
    assert (await sandbox.get(FINDER, headers=KEY)).status == 200
    assert (await sandbox.billing())["units"] == "1.5"


async def test_a_domain_search_heeds_its_filters(sandbox: Client) -> None:
    async def entries(filters: str) -> list[dict[str, Any]]:
        got = await sandbox.get(f"/hunter/v2/domain-search?domain=acme.com&limit=100{filters}", headers=KEY)
        assert got.json["meta"]["results"] == len(got.json["data"]["emails"])
        return list(got.json["data"]["emails"])

    everybody = await entries("")
    people, generic = await entries("&type=personal"), await entries("&type=generic")
    assert people + generic == everybody
    assert generic[0]["value"] == "info@acme.com"
    assert {entry["seniority"] for entry in await entries("&seniority=junior,senior")} == {"junior", "senior"}
    assert {entry["department"] for entry in await entries("&department=sales")} == {"sales"}
    assert await entries("&required_field=full_name") == people
    assert await entries("&required_field=phone_number") == generic
    assert await entries("&verification_status=unknown") == []
    stale = await sandbox.get(
        "/hunter/v2/domain-search?domain=acme.com", headers={**KEY, "x-sandbox-scenario": "rare-shapes"}
    )
    assert stale.json["data"]["emails"][0]["verification"] == {"date": None, "status": None}


async def test_documented_limits_differ_by_operation(sandbox: Client) -> None:
    await sandbox.configure(limits="documented")
    finder = [await sandbox.get(FINDER, headers=KEY) for _ in range(16)]
    verifier = [await sandbox.get("/hunter/v2/email-verifier?email=a@b.com", headers=KEY) for _ in range(11)]
    assert [got.status for got in finder] == [200] * 15 + [403]
    assert [got.status for got in verifier] == [200] * 10 + [403]


async def test_hunter_refuses_missing_keys_and_parameters(sandbox: Client) -> None:
    assert (await sandbox.get(FINDER)).status == 401
    assert (await sandbox.get("/hunter/v2/email-finder?domain=a.com", headers=KEY)).status == 400
    assert (await sandbox.get("/hunter/v2/email-verifier?email=nobody", headers=KEY)).status == 400


@pytest.mark.parametrize(
    ("options", "cost"),
    [
        ("", "0.001"),
        ("&js_render=true", "0.005"),
        ("&premium_proxy=true", "0.010"),
        ("&js_render=true&premium_proxy=true", "0.025"),
    ],
)
async def test_zenrows_says_what_a_page_costs_and_bills_it(sandbox: Client, options: str, cost: str) -> None:
    got = await sandbox.get(PAGE + options)
    assert got.status == 200
    assert got.headers["content-type"].startswith("text/html")
    assert b"<h1>Acme Labs</h1>" in got.body
    assert got.headers["x-request-cost"] == cost
    assert got.headers["zr-final-url"] == "https://www.acme-labs.com/"
    assert got.headers["x-request-id"]
    assert (await sandbox.billing())["units"] == cost


@pytest.mark.parametrize(
    ("options", "start"), [("&response_type=markdown", b"# Acme Labs\n"), ("&response_type=plaintext", b"Acme Labs\n")]
)
async def test_zenrows_gives_markdown_and_plain_text(sandbox: Client, options: str, start: bytes) -> None:
    got = await sandbox.get(PAGE + options)
    assert got.body.startswith(start)
    assert b"info@acme-labs.com" in got.body


async def test_zenrows_extracts_by_css_selector_and_by_output(sandbox: Client) -> None:
    selectors = quote('{"name": "h1", "links": "a @href", "mail": "a[href^=\'mailto:\'] @href", "none": ".nothing"}')
    got: Any = (await sandbox.get(f"{PAGE}&css_extractor={selectors}")).json
    assert got["name"] == "Acme Labs"
    assert "https://www.acme-labs.com/about" in got["links"]
    assert (got["mail"], got["none"]) == ("mailto:info@acme-labs.com", None)
    outputs = (await sandbox.get(f"{PAGE}&outputs=emails,headings")).json
    assert outputs == {
        "emails": ["info@acme-labs.com"],
        "headings": {"h1": ["Acme Labs"], "h2": ["What we do", "Our people", "Contact"]},
    }


@pytest.mark.parametrize(
    ("path", "scenario", "status", "code"),
    [
        ("/zenrows/v1/?url=https://a.com", "", 401, "AUTH001"),
        ("/zenrows/v1/?url=https://a.com&apikey=invalid", "", 401, "AUTH002"),
        ("/zenrows/v1/?apikey=k", "", 400, "REQS001"),
        ("/zenrows/v1/?apikey=k&url=nonsense", "", 400, "REQS002"),
        (PAGE, "no-credit", 402, "AUTH004"),
        (PAGE, "rate-limited", 429, "AUTH008"),
    ],
)
async def test_zenrows_errors_carry_a_code(sandbox: Client, path: str, scenario: str, status: int, code: str) -> None:
    got = await sandbox.get(path, headers={"x-sandbox-scenario": scenario})
    assert got.status == status
    assert (got.json["code"], got.json["status"]) == (code, status)
    assert got.headers["x-request-cost"] == "0"
    assert (await sandbox.billing())["units"] == "0"


async def test_zenrows_bills_a_page_that_its_target_does_not_have(sandbox: Client) -> None:
    got = await sandbox.get(f"{PAGE}&premium_proxy=true", headers={"x-sandbox-scenario": "miss"})
    assert (got.status, got.json["code"], got.headers["x-request-cost"]) == (404, "RESP002", "0.010")
    assert (await sandbox.billing())["units"] == "0.010"


async def test_zenrows_in_auto_mode_costs_what_the_page_needs(sandbox: Client) -> None:
    costs = set()
    for number in range(30):
        got = await sandbox.get(f"/zenrows/v1/?apikey=zen-key&mode=auto&url=https://company-{number}.com")
        costs.add(got.headers["x-request-cost"])
    assert costs == {"0.001", "0.005", "0.010", "0.025"}
    both = await sandbox.get(f"{PAGE}&mode=auto&js_render=true")
    assert (both.status, both.json["code"]) == (400, "REQS004")


async def test_zenrows_limits_how_many_run_at_once_and_says_how_many_may(sandbox: Client) -> None:
    await sandbox.configure(providers={"zenrows": {"concurrency": 3, "latency": "200ms"}})
    answers = await asyncio.gather(*(sandbox.get(f"{PAGE}/{number}") for number in range(5)))
    assert sorted(got.status for got in answers) == [200, 200, 200, 429, 429]
    refused = next(got for got in answers if got.status == 429)
    assert refused.json["code"] == "AUTH006"
    served = [got for got in answers if got.status == 200]
    assert {got.headers["concurrency-limit"] for got in served} == {"3"}
    assert all(0 <= int(got.headers["concurrency-remaining"]) <= 2 for got in served)
    assert (await sandbox.get(PAGE, headers=APOLLO_KEY)).status == 200
