"""People Data Labs, Serper, OpenAI-compatible chat and Perplexity: shapes, errors and what they bill."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from .conftest import Client

KEY = {"x-api-key": "k"}
TOKEN = {"authorization": "Bearer k"}
PERSON = "/pdl/v5/person/enrich?name=Maria Keller&company=acme-labs.com"
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Is Acme a fit?"}]}


async def test_pdl_bills_a_match_and_tells_what_it_spent(sandbox: Client) -> None:
    got = await sandbox.get(PERSON, headers=KEY)
    assert (got.status, got.json["status"]) == (200, 200)
    assert 2 <= got.json["likelihood"] <= 10
    experience = got.json["data"]["experience"]
    assert [job["is_primary"] for job in experience].count(True) == 1
    assert {"company", "title", "start_date", "end_date", "location_names", "summary"} <= set(experience[0])
    assert got.headers["x-call-credits-spent"] == "1"
    assert got.headers["x-ratelimit-remaining"] == "{'minute': 100}"


async def test_pdl_does_not_bill_a_404(sandbox: Client) -> None:
    missed = await sandbox.get(PERSON, headers={**KEY, "x-sandbox-scenario": "miss"})
    unsure = await sandbox.get("/pdl/v5/person/enrich?name=Ann Two&company=acme.com&min_likelihood=10", headers=KEY)
    assert [(got.status, got.json["error"]["type"]) for got in (missed, unsure)] == [(404, "not_found")] * 2
    assert missed.headers["x-call-credits-spent"] == "0"
    assert (await sandbox.billing())["units"] == "0"


@pytest.mark.parametrize(
    ("question", "status"),
    [
        # docs.peopledatalabs.com/docs/input-parameters-person-enrichment-api: what is enough, and what is not.
        ("name=Maria Keller&company=acme-labs.com", 200),
        ("first_name=Maria&last_name=Keller&location=austin, texas", 200),
        ("profile=linkedin.com/in/maria-keller", 200),
        ("email=maria.keller@acme-labs.com", 200),
        ("phone=+1 512-555-0100", 200),
        ("name=Maria Keller", 400),
        ("first_name=Maria&company=acme-labs.com", 400),
        ("company=acme-labs.com", 400),
        ("email=maria.keller@acme-labs.com&min_likelihood=11", 400),
        ("email=maria.keller@acme-labs.com&min_likelihood=0.5", 400),
    ],
)
async def test_pdl_refuses_unbilled_what_could_mean_anybody(sandbox: Client, question: str, status: int) -> None:
    got = await sandbox.get(f"/pdl/v5/person/enrich?{question}", headers=KEY)
    assert (got.status, got.json["status"]) == (status, status)
    assert (await sandbox.billing())["units"] == ("1" if status == 200 else "0")


async def test_outside_the_plan_a_pdl_field_says_only_whether_it_is_there(sandbox: Client) -> None:
    seen: dict[str, set[Any]] = {}
    for number in range(20):
        path = f"/pdl/v5/person/enrich?name=Ann Number{number}&company=acme.com"
        got = await sandbox.get(path, headers={**KEY, "x-sandbox-scenario": "rare-shapes"})
        for name in ("work_email", "mobile_phone", "location_name", "phone_numbers"):
            seen.setdefault(name, set()).add(type(got.json["data"][name]).__name__)
        assert isinstance(got.json["data"]["experience"][0]["company"]["founded"], str)
    assert all("bool" in kinds for kinds in seen.values())
    assert "str" in seen["work_email"]


async def test_serper_ranks_as_many_results_as_were_asked_for(sandbox: Client) -> None:
    got = await sandbox.post("/serper/search", {"q": "golf courses in Texas", "num": 5}, headers=KEY)
    organic = got.json["organic"]
    assert [result["position"] for result in organic] == [1, 2, 3, 4, 5]
    assert all({"title", "link", "snippet"} <= set(result) for result in organic)
    people = await sandbox.post("/serper/search", {"q": "site:linkedin.com/in cfo"}, headers=KEY)
    assert all("linkedin.com/in/" in result["link"] for result in people.json["organic"])


async def test_a_search_for_a_profile_finds_namesakes_and_mostly_the_person(sandbox: Client) -> None:
    unlisted = 0
    for number in range(40):
        words = f'site:linkedin.com/in "Ann Number{number}" "Acme Labs"'
        serper = (await sandbox.post("/serper/search", {"q": words}, headers=KEY)).json["organic"]
        path, token = f"/brave/res/v1/web/search?q={quote(words)}", {"x-subscription-token": "k"}
        brave = (await sandbox.get(path, headers=token)).json["web"]["results"]
        assert [one["link"] for one in serper] == [one["url"] for one in brave]
        assert all(one["title"].startswith(f"Ann Number{number} - ") for one in serper)
        unlisted += not any("Acme Labs" in one["title"] for one in serper)
    assert 1 <= unlisted <= 12


async def test_a_search_for_a_company_finds_pages_about_it(sandbox: Client) -> None:
    got = await sandbox.post("/serper/search", {"q": '"Acme Labs" news'}, headers=KEY)
    assert all("Acme Labs" in result["title"] for result in got.json["organic"])
    missed = await sandbox.get(
        "/brave/res/v1/web/search?q=acme", headers={"x-subscription-token": "k", "x-sandbox-scenario": "miss"}
    )
    assert (missed.status, "web" in missed.json) == (200, False)


async def test_a_linkedin_profile_has_dates_by_parts_and_an_end_only_where_it_ended(sandbox: Client) -> None:
    path = "/enrichlayer/api/v2/profile?profile_url=https://www.linkedin.com/in/maria-keller-1/"
    got = await sandbox.get(path, headers=TOKEN)
    assert (got.json["public_identifier"], got.headers["x-proxycurl-credit-cost"]) == ("maria-keller-1", "1")
    jobs = got.json["experiences"]
    assert jobs[0]["ends_at"] is None
    assert all(set(job["starts_at"]) == {"day", "month", "year"} for job in jobs if job["starts_at"])
    for scenario, status in (("miss", 404), ("no-credit", 403)):
        refused = await sandbox.get(path, headers={**TOKEN, "x-sandbox-scenario": scenario})
        assert (refused.status, refused.json["code"]) == (status, status)
    assert (await sandbox.billing())["units"] == "1"


async def test_zerobounce_takes_one_address_in_a_form_and_bills_what_it_can_tell(sandbox: Client) -> None:
    got = await sandbox.get("/zerobounce/v2/validate?api_key=k&email=cem%40acme.com")
    assert (got.json["address"], got.json["account"]) == ("cem@acme.com", "cem")
    bad = await sandbox.get("/zerobounce/v2/validate?api_key=k&email=ann")
    assert (bad.json["status"], bad.json["sub_status"]) == ("invalid", "failed_syntax_check")
    unknown = await sandbox.get(
        "/zerobounce/v2/validate?api_key=k&email=bob%40acme.com", headers={"x-sandbox-scenario": "miss"}
    )
    keyless = await sandbox.get("/zerobounce/v2/validate?email=cem%40acme.com")
    assert (unknown.json["status"], keyless.status, set(keyless.json)) == ("unknown", 200, {"error"})
    assert (await sandbox.billing())["units"] == "2"


async def test_chat_answers_in_the_schema_that_was_asked_for(sandbox: Client) -> None:
    schema = {
        "type": "object",
        "properties": {
            "fit": {"type": "integer", "minimum": 1, "maximum": 5},
            "tier": {"enum": ["a", "b"]},
            "reasons": {"type": "array", "items": {"type": "string"}},
            "qualified": {"type": "boolean"},
        },
    }
    asked = {**ASKED, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
    got = await sandbox.post("/openai/v1/chat/completions", asked, headers=TOKEN)
    answer = orjson.loads(got.json["choices"][0]["message"]["content"])
    assert 1 <= answer["fit"] <= 5
    assert answer["tier"] in {"a", "b"}
    assert all(isinstance(reason, str) for reason in answer["reasons"])
    assert isinstance(answer["qualified"], bool)
    assert (await sandbox.billing())["units"] == str(got.json["usage"]["total_tokens"])


async def test_perplexity_adds_its_sources(sandbox: Client) -> None:
    got = await sandbox.post("/perplexity/v1/sonar", ASKED, headers=TOKEN)
    assert got.json["citations"] == [result["url"] for result in got.json["search_results"]]
    assert got.json["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("scenario", "code"), [("rate-limited", "rate_limit_exceeded"), ("no-credit", "insufficient_quota")]
)
async def test_chat_says_with_one_status_whether_to_wait_or_to_pay(sandbox: Client, scenario: str, code: str) -> None:
    headers = {**TOKEN, "x-sandbox-scenario": scenario}
    got = await sandbox.post("/openai/v1/chat/completions", ASKED, headers=headers)
    assert (got.status, got.json["error"]["code"]) == (429, code)


@pytest.mark.parametrize(
    ("path", "status"), [("/pdl/v5/person/enrich", 401), ("/serper/search", 403), ("/openai/v1/chat/completions", 401)]
)
async def test_a_missing_key_is_refused_in_each_ones_own_way(sandbox: Client, path: str, status: int) -> None:
    assert (await sandbox.post(path, ASKED)).status == status


async def test_scrapers_that_answer_200_for_a_page_that_is_gone_say_so_inside_and_bill_it(sandbox: Client) -> None:
    asked, gone = {"url": "https://acme-labs.com"}, {**TOKEN, "x-sandbox-scenario": "miss"}
    for headers, status in ((TOKEN, 200), (gone, 404)):
        got = await sandbox.post("/firecrawl/scrape", {**asked, "formats": ["rawHtml", "links"]}, headers=headers)
        metadata = got.json["data"]["metadata"]
        assert (got.status, got.json["success"], metadata["statusCode"], metadata["creditsUsed"]) == (
            200,
            True,
            status,
            1,
        )
    read = await sandbox.get("/jina/https://acme-labs.com", headers={**TOKEN, "accept": "application/json"})
    assert read.json["data"]["content"].startswith("# Acme Labs")
    dead = await sandbox.post("/jina/", asked, headers={**gone, "accept": "application/json"})
    assert (dead.status, dead.json["data"]["warning"]) == (200, "Target URL returned error 404: Not Found")
    assert "Warning: Target URL returned error 404" in (await sandbox.post("/jina/", asked, headers=gone)).body.decode()
    assert (await sandbox.post("/firecrawl/scrape", {"url": "nonsense"}, headers=TOKEN)).status == 400
    assert (await sandbox.post("/jina/", {"url": "nonsense"}, headers=TOKEN)).status == 422
