"""`response.format: page`: a page in an answer is opened where it stands, and one that is no content is a miss."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.name_checks import name_faults
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows

HTML = (
    '<html lang="en"><title>Acme</title><h1>Acme</h1><p>We build pumps in Bremen. <a href="/team">Team</a></p>'
    '<a href="mailto:info@acme.de">Mail</a> <a href="tel:+494211234567">Call</a></html>'
)
SCRAPERS = ["scrape-homepage-via-zenrows", "scrape-homepage-via-firecrawl", "scrape-homepage-via-jina"]


def answered(slug: str, page: str) -> Answer:
    """The page as each scraper passes it on."""
    if slug.endswith("zenrows"):
        headers = {"content-type": "text/html; charset=utf-8", "zr-final-url": "https://www.acme.de/"}
        return Answer(200, headers, page.encode())
    metadata = {"statusCode": 200, "url": "https://www.acme.de/", "creditsUsed": 1}
    firecrawl = {"success": True, "data": {"rawHtml": page, "metadata": metadata}}
    jina = {"code": 200, "data": {"content": page, "url": "https://www.acme.de/", "usage": {"tokens": 900}}}
    return Answer(200, {}, orjson.dumps(firecrawl if slug.endswith("firecrawl") else jina))


@pytest.mark.parametrize("slug", SCRAPERS)
def test_every_scraper_gives_the_same_fields_of_the_same_page(slug: str) -> None:
    reading = ResponseReader(builtin_workflows()[slug]).read(answered(slug, HTML))
    assert reading.outcome is Outcome.FOUND
    links = ["https://www.acme.de/team"] if slug.endswith("zenrows") else None  # only it says where the page was
    assert dict(reading.fields) == {
        "homepage_text": "# Acme\nWe build pumps in Bremen. Team\nMail Call",
        "homepage_emails": ["info@acme.de"],
        "homepage_phones": ["+494211234567"],
        "homepage_url": "https://www.acme.de/",
        **({"homepage_links": links, "homepage_link_texts": ["Team"]} if links else {}),
    }


@pytest.mark.parametrize("slug", SCRAPERS)
def test_a_page_without_content_is_a_miss_that_says_why_and_is_billed_as_reported(slug: str) -> None:
    parked = "<html><title>acme.de</title><p>This domain is for sale. sales@broker.com</p></html>"
    reading = ResponseReader(builtin_workflows()[slug]).read(answered(slug, parked))
    assert (reading.outcome, dict(reading.fields)) == (Outcome.NOT_FOUND, {})
    assert reading.reason == "parked_domain: the domain is parked, for sale or has no site yet"
    expected = {"firecrawl": "1", "jina": "900"}.get(slug.rpartition("-")[2])
    assert (None if reading.cost_units is None else str(reading.cost_units)) == expected
    assert "sales@broker.com" in str(reading.payload)  # kept for a person to look at


def test_an_answer_that_was_kept_as_markdown_is_read_again_as_a_page() -> None:
    kept = Answer(
        200, {"content-type": "text/markdown; charset=utf-8"}, b"# Acme\n\nPumps. [Mail](mailto:info@acme.de)"
    )
    fields = ResponseReader(builtin_workflows()[SCRAPERS[0]]).read(kept).fields
    assert (fields["homepage_text"], fields["homepage_emails"]) == ("# Acme\n\nPumps. Mail", ["info@acme.de"])


def workflow(**response: Any) -> WorkflowDefinition:
    return WorkflowDefinition(
        slug="a-page",
        title="A",
        step=1,
        provider="http",
        operation="x",
        mode="sync",
        provides={"homepage_text": "text"},
        request={"method": "GET", "url": "https://x.example/"},
        response={"format": "page", **response},
    )


def test_of_several_pages_those_with_content_count() -> None:
    both = workflow(decode="pages[*].html").model_copy(update={"provides": {"homepage_text": "pages[].html.text"}})
    body = orjson.dumps({"pages": [{"html": "<p>This domain is for sale</p>"}, {"html": HTML}, {"html": None}]})
    reading = ResponseReader(both).read(Answer(200, {}, body))
    assert reading.fields["homepage_text"][1].startswith("# Acme")
    none = ResponseReader(both).read(Answer(200, {}, orjson.dumps({"pages": [{"html": "<p>404 Not Found"}]})))
    assert (none.outcome, none.reason and none.reason.partition(":")[0]) == (Outcome.NOT_FOUND, "error_page")


def test_a_mapping_that_names_what_a_page_has_not_is_refused_when_it_is_saved() -> None:
    wrong = workflow().model_copy(update={"provides": {"homepage_text": "txt"}})
    (fault,) = name_faults(wrong, [])
    assert "the answer has no 'txt'" in str(fault)
    assert name_faults(workflow(), []) == []


def test_a_page_is_kept_whole_only_where_a_workflow_asks_for_it() -> None:
    whole = workflow().model_dump(mode="json", by_alias=True)
    whole["response"]["with_html"] = True
    kept = ResponseReader(WorkflowDefinition.model_validate(whole)).read(answered(SCRAPERS[0], HTML + "\0"))
    assert kept.payload["html"] == HTML + "\ufffd", "Postgres' jsonb holds no NUL"
    assert "html" not in ResponseReader(workflow()).read(answered(SCRAPERS[0], HTML)).payload
    missed = ResponseReader(WorkflowDefinition.model_validate(whole)).read(answered(SCRAPERS[0], "<p>404 Not Found"))
    assert (missed.outcome, "html" in missed.payload) == (Outcome.NOT_FOUND, False)
    for response in ({"format": "json"}, {"format": "text"}, {"format": "page", "decode": "data.rawHtml"}):
        with pytest.raises(ValidationError, match="with_html"):
            WorkflowDefinition.model_validate({**whole, "response": {**response, "with_html": True}})
