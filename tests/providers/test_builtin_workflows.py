"""Each built-in workflow against the sandbox: rendered, authorised, sent over HTTP, classified, read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from enrichment_assets.domain.bulk_answers import BulkReader, Missing, Place
from enrichment_assets.domain.bulk_requests import BulkRenderer
from enrichment_assets.domain.mapping import Expression, ResponseReader
from enrichment_assets.domain.prompts.reading import PromptReader
from enrichment_assets.domain.prompts.schemas import Carrier, schema_faults
from enrichment_assets.domain.provider import Answer, Verdict
from enrichment_assets.domain.renderers import renderer_of
from enrichment_assets.domain.statuses import ErrorClass, Outcome
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.providers import PROVIDERS, build_providers
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sandbox import SandboxSettings, running_sandbox
from enrichment_assets.wire.addresses import base_url_of, is_simulated
from enrichment_assets.wire.secrets import workflow_secrets
from enrichment_assets.wire.transport import build_client, send

CONTEXT: dict[str, Any] = {
    "first_name": "Ann",
    "last_name": "Archer",
    "full_name": "Ann Archer",
    "email": "ann.archer@brightlake.com",
    "company_name": "Bright Lake",
    "company_domain": "brightlake.com",
    "item": {"id": 7, "row_number": 1, "batch": "b1", "client": "acme"},
    "original": {},
}
MATERIAL: dict[str, Any] = {
    "homepage_text": "Bright Lake builds pumps for 40 hotels. Read how Alder Hotels saved water: "
    "https://brightlake.com/customers/alder",
    "web_results": [{"title": "Bright Lake grows", "text": "Bright Lake opened a plant in Bremen in March 2026."}],
    "linkedin_headline": "Head of pumps at Bright Lake",
    "linkedin_summary": "Twenty years of pumps, now in Bremen.",
    "facts": ["Bright Lake builds pumps for 40 hotels.", "It opened a plant in Bremen in March 2026."],
    "lead_grade": "A",
    "industry": "Hotels",
    "original": {
        "yields": "hotels with pumps: 3 companies, 2 prospects, 1 of grade A, 0 of grade B, 0.5 each of those"
    },
    "client_profile": {"ideal_customer": "Hotels with pumps.", "offer": "Pumps that mend themselves."},
}
"""What prompts are shown besides the person and the company."""

QUERY = {"original": {"query": 'wealth management firms in "Boston, MA"', "page": 1}}
LISTING = "https://www.texas-golf-association.org/courses/fox-lakes-golf-club"
COURSE: dict[str, Any] = {
    "company_name": "Fox Lakes Golf Club",
    "state": "TX",
    "state_name": "Texas",
    "state_code": "US-TX",
    "course_holes": 36,
    "listing_url": LISTING,
    "listing_links": ["https://www.fox-lakes-golf-club-tx.com/"],
    "course_page_results": [{"title": "Fox Lakes Golf Club | Texas Golf Association", "url": LISTING, "text": "x"}],
    "listing_text": (
        "# Fox Lakes Golf Club\n12 Club Drive, Salem, TX 78701\nPhone: +1 512-555-0100\nHoles 18\nPar 72\nType Public\n"
        "Driving range Yes, 12 stations, mats\nGreen fee $40 weekdays, $50 weekends\nOpened 1990\n"
        "## Staff\nAnn Archer Head Golf Professional ann@fox-lakes-golf-club-tx.com"
    ),
}
"""A course of the sandbox's web that is on its map with all of its holes."""

OWN_CONTEXT: dict[str, dict[str, Any]] = {
    "recheck-profile": {"linkedin_url": "https://www.linkedin.com/in/ann-archer-1"},
    "enrich-linkedin-profile": {"linkedin_url": "https://www.linkedin.com/in/ann-archer-1"},
    "read-career-via-enrichlayer": {"linkedin_url": "https://www.linkedin.com/in/ann-archer-1"},
    "search-companies-via-serper": QUERY,
    "search-companies-via-brave": QUERY,
    "scrape-staff-page-via-zenrows": {"company_staff_page_url": "https://brightlake.com/team"},
    "scrape-staff-page-via-jina": {"company_staff_page_url": "https://brightlake.com/team"},
    "extract-staff": {"staff_page_text": "# Our people\nAnn Archer, Head of Pumps\nBob Lee, President"},
    "match-listed-people-via-apollo": {"original": {"apollo_person_id": "5f2a3c9e1b7d4a6f8e0c1d2b"}},
    "propose-queries": {"original": {"industry": "Wealth", "yields": [{"query": "firms in Boston", "prospects": 12}]}},
    "search-course-listing-via-serper": COURSE,
    "scrape-course-listing-via-zenrows": COURSE,
    "choose-course-listing": COURSE,
    "extract-course-facts": COURSE,
    "extract-course-staff": COURSE,
    "assess-course": COURSE,
    "count-water-hazards-via-overpass": COURSE,
    # Somebody whom People Data Labs knows for sure, with a mobile number.
    "find-phone-via-pdl": {"email": "ann.archer3@brightlake.com", "last_name": "Archer3", "full_name": "Ann Archer3"},
}
"""What one workflow is asked about besides."""

STEPS = [workflow for workflow in builtin_workflows().values() if workflow.delivery is None]
"""Deliveries find nothing: what they send, and what is answered, is tried in tests/delivery."""
SYNC = [workflow.slug for workflow in STEPS if workflow.mode is Mode.SYNC]
PROMPTS = [workflow.slug for workflow in builtin_workflows().values() if workflow.prompt is not None]
ASYNC = [workflow.slug for workflow in STEPS if workflow.mode is Mode.ASYNC]


class Exchange:
    """Sends requests of workflows to one sandbox, as the engine would."""

    def __init__(self, url: str, client: Any) -> None:
        self.url = url
        self.client = client

    async def ask(
        self, workflow: WorkflowDefinition, renderer: RequestRenderer | None = None, **context: Any
    ) -> tuple[Answer, Verdict]:
        provider = build_providers(self.url)[workflow.provider]
        assert is_simulated(workflow, provider, self.url)
        shown = (MATERIAL if workflow.prompt is not None else {}) | OWN_CONTEXT.get(workflow.slug, {})
        asked = CONTEXT | {"parameters": workflow.parameters} | shown | context
        rendered = (renderer or renderer_of(workflow, PROVIDERS[workflow.provider])).render(asked)
        secrets = workflow_secrets(workflow, simulated=True, environment={})
        answer = await send(self.client, provider.authorise(rendered, secrets, base_url_of(workflow, provider)), 10)
        return replace(answer, inputs=rendered.inputs), provider.classify(workflow.operation, answer)


def reader_of(workflow: WorkflowDefinition) -> ResponseReader:
    """What the engine reads this workflow's answers by."""
    if workflow.prompt is None:
        return ResponseReader(workflow)
    return PromptReader(workflow, PROVIDERS[workflow.provider])


@asynccontextmanager
async def sandboxed(**behaviour: Any) -> AsyncIterator[Exchange]:
    async with running_sandbox(SandboxSettings(**behaviour)) as sandbox, build_client() as client:
        yield Exchange(sandbox.url, client)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """A callback address, and what arrives there."""
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        arrived.put_nowait(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/callbacks/token", arrived
    finally:
        listener.close()


def only_part(workflow: WorkflowDefinition, answer: Answer) -> Answer | Missing:
    """What the answer says about the one item that was asked about."""
    if workflow.bulk is None:
        return answer
    renderer = renderer_of(workflow, PROVIDERS[workflow.provider])
    assert isinstance(renderer, BulkRenderer)
    context = CONTEXT | {"parameters": workflow.parameters} | OWN_CONTEXT.get(workflow.slug, {})
    name = renderer.member(context).name
    return BulkReader(workflow).part(answer, Place(0, 1, None if name is None else (name,)))


def delivered(workflow: WorkflowDefinition, body: bytes) -> bytes:
    """What a callback says about the one item that was asked about."""
    if workflow.bulk is None:
        return body
    part = only_part(workflow, Answer(200, {}, body))
    assert isinstance(part, Answer)
    return part.body


@pytest.mark.parametrize("slug", SYNC)
async def test_a_sync_workflow_finds_and_provides_every_field_it_promises(slug: str) -> None:
    workflow = builtin_workflows()[slug]
    async with sandboxed() as exchange:
        answer, verdict = await exchange.ask(workflow)
    assert (answer.status, verdict.error, verdict.not_found) == (200, None, False)
    alone = only_part(workflow, answer)
    assert isinstance(alone, Answer)
    reading = reader_of(workflow).read(alone)
    assert reading.outcome is Outcome.FOUND
    optional = {"homepage_url", "apollo_email_status", "linkedin_url", "company_phone", "city", "state", "country"}
    optional |= {"company_website", "company_linkedin_url", "company_domain", "zerobounce_sub_status"}
    optional |= {"company_segment"}  # "unknown" is no segment
    assert set(workflow.provides) - set(reading.fields) <= optional, "a promised field is missing"
    if workflow.provider == "zenrows":
        assert str(verdict.cost_units) == "0.001"
        assert any(reading.fields[name] for name in workflow.provides if name.endswith("_text"))


@pytest.mark.parametrize("slug", [slug for slug in SYNC if not slug.startswith("verify-") and slug not in PROMPTS])
async def test_a_sync_workflow_reads_a_miss_as_an_answer(slug: str) -> None:
    workflow = builtin_workflows()[slug]
    async with sandboxed(miss=1) as exchange:
        answer, verdict = await exchange.ask(workflow)
    assert verdict.error is None
    if not verdict.not_found:
        alone = only_part(workflow, answer)
        if isinstance(alone, Missing):
            assert alone.is_miss
        elif alone.status not in workflow.response.not_found_status:
            reading = ResponseReader(workflow).read(alone)
            assert (reading.outcome, reading.fields) == (Outcome.NOT_FOUND, {})


async def test_a_prompt_that_the_model_declines_is_a_miss_with_that_reason() -> None:
    async with sandboxed(refusals=1) as exchange:
        for slug in PROMPTS:
            workflow = builtin_workflows()[slug]
            if workflow.provider != "openai":  # Perplexity says so in prose, which is an answer not as asked
                continue
            answer, verdict = await exchange.ask(workflow)
            assert verdict.error is None
            reading = reader_of(workflow).read(answer)
            assert (reading.outcome, reading.fields, reading.reason) == (Outcome.NOT_FOUND, {}, "refused"), slug


def test_a_grade_follows_from_the_score_by_its_rule() -> None:
    grade = Expression(builtin_workflows()["qualify-lead"].provides["lead_grade"], "qualify-lead")
    scores = [100, 80, 79, 65, 64, 50, 49, 35, 34, 0]
    assert "".join(grade({"score": score}) for score in scores) == "AABBCCDDFF"


def test_every_prompt_is_carried_by_openai_and_by_anthropic() -> None:
    for slug in PROMPTS:
        prompt = builtin_workflows()[slug].prompt
        assert prompt is not None
        for carrier in (Carrier.OPENAI, Carrier.ANTHROPIC):
            assert list(schema_faults(prompt.answer, carrier)) == [], (slug, carrier)


@pytest.mark.parametrize("slug", ASYNC)
async def test_an_async_workflow_is_accepted_and_its_callback_is_read(slug: str) -> None:
    workflow = builtin_workflows()[slug]
    reader = ResponseReader(workflow)
    found = []
    async with sandboxed() as exchange, receiving() as (url, arrived):
        for number in range(6):  # some people have no known mobile number
            answer, verdict = await exchange.ask(
                workflow, callback_url=url, last_name=f"Archer{number}", full_name=None, email=None
            )
            assert verdict.error is None
            assert reader.read(answer).fields == {}
            found.append(reader.read_callback(delivered(workflow, await asyncio.wait_for(arrived.get(), 5))))
    hits = [reading for reading in found if reading.outcome is Outcome.FOUND]
    assert hits
    assert set(workflow.provides) - set(hits[0].fields) <= {"company_name", "company_domain"}
    if workflow.phones:
        assert hits[0].fields["phone"] in {record["number"] for record in hits[0].fields["phone_records"]}


@pytest.mark.parametrize("slug", [slug for slug in ASYNC if slug != "reveal-phone-via-apollo"])
async def test_an_async_workflow_reads_a_miss_in_a_callback(slug: str) -> None:
    workflow = builtin_workflows()[slug]
    async with sandboxed(miss=1) as exchange, receiving() as (url, arrived):
        await exchange.ask(workflow, callback_url=url)
        reading = ResponseReader(workflow).read_callback(delivered(workflow, await asyncio.wait_for(arrived.get(), 5)))
    assert (reading.outcome, reading.fields) == (Outcome.NOT_FOUND, {})


async def test_a_phone_whose_callback_was_lost_is_polled_and_reads_the_same() -> None:
    workflow = builtin_workflows()["reveal-phone-via-apollo"]
    reader, poll = ResponseReader(workflow), RequestRenderer.for_poll(workflow)
    async with sandboxed(callback_delay="400ms") as exchange, receiving() as (url, arrived):
        answer, _ = await exchange.ask(workflow, callback_url=url)
        external_id = reader.read(answer).external_id
        assert external_id is not None
        assert str(int(external_id)) == external_id
        pending, _ = await exchange.ask(workflow, poll, external_id=external_id)
        assert (pending.status, reader.read_poll(pending)) == (404, None)
        by_callback = reader.read_callback(await asyncio.wait_for(arrived.get(), 5))
        done, verdict = await exchange.ask(workflow, poll, external_id=external_id)
        assert verdict.error is None
        assert reader.read_poll(done) == by_callback
        gone, verdict = await exchange.ask(workflow, poll, external_id="12345")
        assert (gone.status, verdict.error) == (404, ErrorClass.DEADLINE)


FAULTS: list[tuple[dict[str, Any], object]] = [
    ({"errors": 1}, ErrorClass.RETRYABLE),
    ({"rate_limited": 1}, ErrorClass.RETRYABLE),
    ({"rejected_keys": ["sandbox"]}, ErrorClass.AUTH),
    ({"quota": "0"}, (ErrorClass.QUOTA, ErrorClass.PAYMENT)),
]


@pytest.mark.parametrize(("behaviour", "expected"), FAULTS)
async def test_the_faults_of_every_keyed_provider_are_classified(behaviour: dict[str, Any], expected: object) -> None:
    async with sandboxed(**behaviour) as exchange:
        for slug in SYNC:
            _, verdict = await exchange.ask(builtin_workflows()[slug])
            wanted = expected if isinstance(expected, tuple) else (expected,)
            if workflow_is_free(slug) and ErrorClass.PAYMENT in wanted:
                continue
            # ZeroBounce says the same of a bad key and an account without credits.
            also = (ErrorClass.AUTH,) if ErrorClass.PAYMENT in wanted and "zerobounce" in slug else ()
            assert verdict.error in (*wanted, *also), slug


def workflow_is_free(slug: str) -> bool:
    """Whether nobody pays for it, so that no account can be spent."""
    return builtin_workflows()[slug].provider == "overpass"


async def test_hunter_asks_for_patience_and_protects_those_who_asked_for_it() -> None:
    workflow = builtin_workflows()["verify-email-via-hunter"]
    async with sandboxed(later=1) as exchange:
        _, verdict = await exchange.ask(workflow)
        assert (verdict.error, verdict.retry_after) == (ErrorClass.RETRYABLE, 5.0)
    async with sandboxed(blocked=1) as exchange:
        _, verdict = await exchange.ask(workflow)
        assert verdict.suppress
