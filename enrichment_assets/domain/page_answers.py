"""Answers that are text and no JSON, and those that are or hold a web page: `response.format` of a workflow.

The page is opened where it stands, as JSON in text is: the payload has `text`, `title`, `emails`, `phones`, `links` and
`language` in the place of HTML or Markdown. A page that is no content is a miss, with the reason for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from enrichment_assets.domain.charsets import decode_text
from enrichment_assets.domain.pages.page import Page, PageFault
from enrichment_assets.domain.pages.reading import page_of, page_of_text
from enrichment_assets.domain.provider import Answer, Reading
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.domain.text_json import TextOpener

PAGE_PAYLOAD = frozenset([*Page("").payload(), "final_url"])
"""What a mapping may name where the body itself is the page."""

HTML = "html"
"""The member that `response.with_html` adds."""

FINAL_URL_HEADERS = ("zr-final-url", "content-location")
"""Response headers in which a scraper says where it ended up; the first that is there wins."""

_WHY: Mapping[PageFault, str] = {
    PageFault.CONSENT_WALL: "the page shows nothing before one consents",
    PageFault.LOGIN_WALL: "the page asks to log in",
    PageFault.PARKED_DOMAIN: "the domain is parked, for sale or has no site yet",
    PageFault.ERROR_PAGE: "the page says that it is an error, or keeps robots out",
    PageFault.EMPTY_PAGE: "the page has nothing to read without a browser",
    PageFault.NOT_A_PAGE: "what came is no web page",
}


class NoContent(Exception):
    """A page that is no content. `payload`: the answer with the page as it was read; `fault`: why it is none."""

    def __init__(self, payload: Any, fault: PageFault) -> None:
        super().__init__(fault.value)
        self.payload = payload
        self.fault = fault

    def reading(self) -> Reading:
        """Nothing was found, and why."""
        why = f"{self.fault.value}: {_WHY[self.fault]}"
        return Reading(outcome=Outcome.NOT_FOUND, payload=self.payload, fields={}, reason=why)


def final_url(answer: Answer) -> str | None:
    """Where a scraper says that it ended up."""
    return next((answer.headers[name] for name in FINAL_URL_HEADERS if name in answer.headers), None)


def text_payload(answer: Answer) -> dict[str, Any]:
    """The payload of an answer that is any text: `text`, `headers`, `final_url`."""
    text = decode_text(answer.body, answer.headers.get("content-type", ""))
    # Postgres' jsonb cannot hold NUL.
    return {"text": text.replace("\0", "\ufffd"), "headers": dict(answer.headers), "final_url": final_url(answer)}


def page_payload(answer: Answer, *, with_html: bool = False) -> dict[str, Any]:
    """The payload of an answer whose body is the page, with `final_url`; `with_html`: and `html`, the body as text.

    Raises `NoContent`.
    """
    url = final_url(answer)
    page = page_of(answer.body, answer.headers.get("content-type", ""), url)
    payload = {**page.payload(), "final_url": url}
    if page.fault is not None:
        raise NoContent(payload, page.fault)
    return {**payload, HTML: text_payload(answer)["text"]} if with_html else payload


def with_opened_page(opener: TextOpener, payload: Any) -> Any:
    """A JSON payload with the page in it opened; raises `NoContent` where each page of it is none."""
    pages: list[Page] = []
    opened = opener(payload, read=partial(_opened, pages))
    if pages and all(page.fault for page in pages):
        raise NoContent(opened, next(page.fault for page in pages if page.fault))
    return opened


def _opened(pages: list[Page], text: str, _notes: list[str] | None) -> dict[str, Any]:
    pages.append(page_of_text(text))
    return pages[-1].payload()
