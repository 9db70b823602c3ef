"""A page of the small web in every shape that ZenRows gives pages: HTML, Markdown, text, selectors, outputs."""

from __future__ import annotations

from typing import Any

import orjson

from enrichment_assets.domain.written_contacts import emails_in, phones_in
from enrichment_assets.sandbox.exchange import Call, Reply, json_reply
from enrichment_assets.sandbox.web.page import Heading, Page
from enrichment_assets.sandbox.web.writing import html_of, markdown_of, plain_of


def web_page(call: Call, page: Page, *, has_run_scripts: bool) -> Reply:
    """The page as the call's parameters ask for it; without any, its HTML."""
    markup = html_of(page, has_run_scripts=has_run_scripts)
    sent = Page(page.title) if page.is_shell and not has_run_scripts else page
    query = call.query
    if extractor := query.get("css_extractor"):
        return json_reply(200, _selected(markup, extractor))
    if outputs := query.get("outputs"):
        wanted = {name.strip() for name in outputs.split(",")}
        return json_reply(200, {k: v for k, v in _outputs(sent).items() if k in wanted or "*" in wanted})
    if query.get("json_response", "").lower() == "true":
        return json_reply(200, {"html": markup, "xhr": []})
    kind = query.get("response_type", "html").lower()
    if kind == "markdown":
        return Reply(200, markdown_of(sent).encode(), content_type="text/markdown; charset=utf-8")
    if kind in {"plaintext", "text"}:
        return Reply(200, plain_of(sent).encode(), content_type="text/plain; charset=utf-8")
    return Reply(200, markup.encode(), content_type="text/html; charset=utf-8")


def _selected(markup: str, extractor: str) -> dict[str, Any]:
    """What CSS selectors find: texts, or attributes where a selector ends in ` @name`; one alone is no list."""
    from selectolax.lexbor import LexborHTMLParser

    document = LexborHTMLParser(markup)
    found: dict[str, Any] = {}
    for name, selector in orjson.loads(extractor).items():
        css, _, attribute = str(selector).partition(" @")
        nodes = document.css(css)
        values = [(node.attributes.get(attribute) if attribute else node.text().strip()) for node in nodes]
        found[name] = values[0] if len(values) == 1 else values or None
    return found


def _outputs(page: Page) -> dict[str, Any]:
    text = markdown_of(page)
    headings = [block for block in page.blocks if isinstance(block, Heading)]
    return {
        "emails": list(dict.fromkeys(one.value for one in emails_in(text))),
        "phone_numbers": list(dict.fromkeys(one.value for one in phones_in(text, "US"))),
        "headings": {f"h{n}": [one.text for one in headings if one.level == n] for n in (1, 2)},
        "links": page.links,
    }
