"""Clients of the data providers against the sandbox, unchanged but for their addresses.

People Data Labs' and ZenRows' are the vendors' own. For Hunter and Apollo there is none in Python: PyHunter and
qodev-apollo-api are users' clients; what Apollo's own command line client sends (github.com/apolloio/apollo-io-cli) is
sent here by hand.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import httpx
import pytest
import requests
from peopledatalabs import PDLPY
from pyhunter import PyHunter
from pyhunter.exceptions import HunterApiError
from qodev_apollo_api import ApolloClient
from qodev_apollo_api.exceptions import AuthenticationError, RateLimitError
from zenrows import ZenRowsClient

from enrichment_assets.sandbox import SandboxProcess

from .conftest import units

PAGE = "https://www.acme-labs.com"


@pytest.fixture
def pdl(sandbox: SandboxProcess) -> PDLPY:
    return PDLPY(api_key="key-one", base_path=f"{sandbox.url}/pdl/v5")


@pytest.fixture
def hunter(sandbox: SandboxProcess) -> PyHunter:
    client = PyHunter("key-one", max_retries=0)
    client.base_endpoint = f"{sandbox.url}/hunter/v2/{{}}"
    return client


@pytest.fixture
def zenrows(sandbox: SandboxProcess) -> ZenRowsClient:
    return ZenRowsClient("key-one", base_url=f"{sandbox.url}/zenrows/v1/")


def test_pdl_enriches_a_person_and_a_company_and_says_what_is_left(pdl: PDLPY, sandbox: SandboxProcess) -> None:
    got = pdl.person.enrichment(name="Maria Keller", company="acme-labs.com", min_likelihood=2, required="experience")
    assert (got.status_code, got.json()["data"]["full_name"]) == (200, "maria keller")
    assert got.headers["x-ratelimit-remaining"] == "{'minute': 100}"
    several = pdl.person.enrichment(email=["maria.keller@acme-labs.com", "maria@other.com"], include_if_matched=True)
    assert several.json()["matched"] == ["email"]
    company = pdl.company.enrichment(website="acme-labs.com").json()
    assert (company["name"], company["website"]) == ("acme labs", "acme-labs.com")
    assert units(sandbox) == "3"


def test_pdl_refuses_what_is_not_enough_and_does_not_bill_it(pdl: PDLPY, sandbox: SandboxProcess) -> None:
    refused = pdl.person.enrichment(name="Maria Keller")
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
    sandbox.configure(miss=1)
    missed = pdl.person.enrichment(name="Maria Keller", company="acme-labs.com")
    assert (missed.status_code, missed.json()["error"]["type"]) == (404, "not_found")
    assert units(sandbox) == "0"


def test_pdl_answers_a_hundred_in_one_call_in_order_each_with_its_status(pdl: PDLPY, sandbox: SandboxProcess) -> None:
    people: list[dict[str, Any]] = [{"params": {"name": f"Ann Number{n}", "company": "acme.com"}} for n in range(99)]
    answers = pdl.person.bulk(requests=[*people, {"params": {"name": "Ann Only"}, "metadata": {"row": 99}}]).json()
    assert [answer["data"]["full_name"] for answer in answers[:99]] == [f"ann number{n}" for n in range(99)]
    assert (answers[99]["status"], answers[99]["metadata"]) == (400, {"row": 99})
    assert units(sandbox) == "99"


def test_pdl_identifies_retrieves_and_takes_companies_in_bulk(pdl: PDLPY, sandbox: SandboxProcess) -> None:
    person = pdl.person.enrichment(email="maria.keller@acme-labs.com").json()["data"]
    candidates = pdl.person.identify(name="Maria Keller", company="acme-labs.com").json()["matches"]
    assert candidates[0]["data"]["full_name"] == "maria keller"
    assert candidates[0]["match_score"] >= candidates[1]["match_score"]
    assert pdl.person.retrieve(person_id=person["id"]).json()["data"]["id"] == person["id"]
    answers = pdl.company.bulk(
        requests=[{"params": {"website": "acme-labs.com"}}, {"params": {"name": "Birch"}}]
    ).json()
    assert [answer["name"] for answer in answers] == ["acme labs", "birch"]
    assert units(sandbox) == "5"
    sandbox.configure(miss=1)
    assert pdl.person.identify(name="Maria Keller", company="acme-labs.com").status_code == 404
    assert units(sandbox) == "6"  # the vendor bills an identification that found nobody


def test_hunter_finds_lists_counts_and_verifies(hunter: PyHunter, sandbox: SandboxProcess) -> None:
    email, score = hunter.email_finder("acme-labs.com", first_name="Maria", last_name="Keller")
    assert email.endswith("@acme-labs.com")
    assert 60 <= score <= 99
    by_handle, _ = hunter.email_finder(domain="acme-labs.com", linkedin_handle="maria-keller")
    assert by_handle == email
    anywhere = hunter.email_finder(linkedin_handle="maria-keller", raw=True).json()["data"]
    assert (anywhere["first_name"], anywhere["linkedin_url"]) == ("Maria", "https://www.linkedin.com/in/maria-keller")
    found = hunter.domain_search("acme-labs.com", limit=100, seniority="senior", department="sales,it")
    assert {entry["department"] for entry in found["emails"]} <= {"sales", "it"}
    assert {entry["seniority"] for entry in found["emails"]} == {"senior"}
    assert hunter.email_verifier(email)["status"] in {"valid", "accept_all", "unknown", "invalid"}
    everybody = hunter.domain_search("acme-labs.com", limit=100)["emails"]
    assert hunter.email_count("acme-labs.com")["total"] == len(everybody)
    assert hunter.account_information()["calls"]["left"] == 10_000
    assert units(sandbox) == "5.5"


def test_hunter_enriches_people_and_companies(hunter: PyHunter, sandbox: SandboxProcess) -> None:
    person = hunter.email_enrichment(email="maria.keller@acme-labs.com")
    assert (person["name"]["givenName"], person["employment"]["domain"]) == ("Maria", "acme-labs.com")
    assert hunter.email_enrichment(linkedin_handle="maria-keller")["linkedin"]["handle"] == "maria-keller"
    assert hunter.company_enrichment("acme-labs.com")["name"] == "Acme Labs"
    both = hunter.combined_enrichment("maria.keller@acme-labs.com")
    assert both["person"] == person
    assert both["company"] == hunter.company_enrichment("acme-labs.com")
    assert units(sandbox) == "1.0"
    sandbox.configure(miss=1)
    with pytest.raises(HunterApiError) as missed:
        hunter.company_enrichment("acme-labs.com")
    assert missed.value.error[0]["id"] == "not_found"
    assert units(sandbox) == "1.0"


@pytest.mark.parametrize("scenario", [{"quota": 0}, {"blocked": 1}, {"rate_limited": 1}])
def test_hunters_refusals_are_errors_of_its_client(
    hunter: PyHunter, sandbox: SandboxProcess, scenario: dict[str, Any]
) -> None:
    sandbox.configure(**scenario)
    with pytest.raises(HunterApiError):
        hunter.email_finder("acme-labs.com", first_name="Maria", last_name="Keller")


def test_zenrows_fetches_extracts_and_says_the_price(zenrows: ZenRowsClient, sandbox: SandboxProcess) -> None:
    with zenrows:
        page = zenrows.fetch(PAGE, params={"mode": "auto"})
        assert "<h1>Acme Labs</h1>" in page.text
        assert page.headers["X-Request-Cost"] in {"0.001", "0.005", "0.010", "0.025"}
        assert zenrows.fetch(PAGE, params={"css_extractor": '{"name": "h1"}'}).json() == {"name": "Acme Labs"}
        outputs = zenrows.fetch(PAGE, params={"outputs": "emails,links"}).json()
        assert (set(outputs), outputs["emails"]) == ({"emails", "links"}, ["info@acme-labs.com"])
        assert "<h1>" in zenrows.fetch(PAGE, params={"json_response": True, "js_render": True}).json()["html"]
        assert zenrows.extract(PAGE).json()["name"] == "Acme Labs"
        assert zenrows.fetch(PAGE, headers={"Accept-Language": "de"}).status_code == 200
        sandbox.configure(miss=1)
        gone = zenrows.fetch(PAGE)
        assert (gone.status_code, gone.json()["code"], gone.headers["X-Request-Cost"]) == (404, "RESP002", "0.001")


def test_zenrows_retries_what_its_client_retries(sandbox: SandboxProcess) -> None:
    sandbox.configure(errors=1, error_status=[503], fault_attempts=2)
    with ZenRowsClient("key-one", retries=3, base_url=f"{sandbox.url}/zenrows/v1/") as patient:
        assert patient.fetch(PAGE).status_code == 200
    assert [call["status"] for call in sandbox.calls()] == [503, 503, 200]


async def test_apollo_matches_enriches_and_searches(sandbox: SandboxProcess) -> None:
    async with ApolloClient(api_key="key-one") as client:
        assert client._client is not None
        client._client.base_url = httpx.URL(f"{sandbox.url}/apollo/api/v1")
        person = await client.enrich_person("maria.keller@acme-labs.com")
        assert person["first_name"] == "Maria"
        assert (await client.enrich_organization("acme-labs.com"))["name"] == "Acme Labs"
        found = await client.search_people(q_organization_domains_list=["acme-labs.com"], per_page=5)
        assert len(found["people"]) == 5
        assert client.rate_limit_status["minute_left"] == 1000
        sandbox.configure(rate_limited=1)
        with pytest.raises(RateLimitError) as limited:
            await client.enrich_organization("acme-labs.com")
        assert limited.value.retry_after == 1
        client._client.headers["x-api-key"] = "invalid"
        with pytest.raises(AuthenticationError):
            await client.enrich_organization("acme-labs.com")


class Cli:
    """Requests as Apollo's command line client makes them: a bearer token, JSON by POST, ids by GET."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/apollo/api/v1"
        self.headers = {"authorization": "Bearer token-one", "x-apollo-source": "apollo-cli"}

    def get(self, path: str, **params: str) -> requests.Response:
        return requests.get(self.url + path, params=params, headers=self.headers, timeout=10)

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, headers=self.headers, timeout=10)


def test_apollos_command_line_client_is_answered(sandbox: SandboxProcess) -> None:
    cli = Cli(sandbox.url)
    listed = cli.post("/mixed_people/api_search", q_organization_domains_list=["acme-labs.com"], page=2, per_page=3)
    people = listed.json()["people"]
    assert "email" not in people[0]
    assert "*" in people[0]["last_name_obfuscated"]
    matched = cli.get("/people/match", id=people[0]["id"]).json()["person"]
    assert (matched["id"], matched["first_name"]) == (people[0]["id"], people[0]["first_name"])
    assert matched["organization"]["primary_domain"] == "acme-labs.com"
    unknown = cli.get("/people/match", id="5f0f5f0f5f0f5f0f5f0f5f0f").json()["person"]
    assert unknown["id"] == "5f0f5f0f5f0f5f0f5f0f5f0f"
    hashed = sha256(b"maria.keller@acme-labs.com").hexdigest()
    assert cli.post("/people/match", hashed_email=hashed).json()["person"]["name"]
    assert cli.post("/organizations/enrich", domain="acme-labs.com").json()["organization"]["name"] == "Acme Labs"
    assert cli.post("/organizations/bulk_enrich", domains=["a.com", "b.com"]).json()["unique_enriched_records"] == 2
    account = cli.post("/mixed_companies/search", q_organization_keyword_tags=["Acme Labs"], page=1, per_page=1).json()
    assert account["accounts"][0]["primary_domain"] == "acmelabs.com"


def test_apollo_takes_forms_too(sandbox: SandboxProcess) -> None:
    headers = {"x-api-key": "key-one"}
    asked = [("first_name", "Maria"), ("last_name", "Keller"), ("domain", "acme-labs.com")]
    url = f"{sandbox.url}/apollo/api/v1"
    by_form = requests.post(f"{url}/people/match", data=asked, headers=headers, timeout=10).json()
    by_json = requests.post(f"{url}/people/match", json=dict(asked), headers=headers, timeout=10).json()
    by_query = requests.post(f"{url}/people/match", params=asked, headers=headers, timeout=10).json()
    assert by_form == by_json == by_query
    domains = [("domains[]", "a.com"), ("domains[]", "b.com")]
    for sent in ({"data": domains}, {"params": domains}):
        bulk = requests.post(f"{url}/organizations/bulk_enrich", **sent, headers=headers, timeout=10).json()
        assert [one["primary_domain"] for one in bulk["organizations"]] == ["a.com", "b.com"]
