"""Bytes that a scraper fetched to a `Page`: what they are, in which encoding, and what they say."""

from __future__ import annotations

import codecs
import re

from enrichment_assets.domain.charsets import allowed_charset, charset_of
from enrichment_assets.domain.pages.html_text import read_html
from enrichment_assets.domain.pages.kinds import fault_of
from enrichment_assets.domain.pages.markdown_text import read_markdown
from enrichment_assets.domain.pages.page import MAX_TEXT, Found, Page, PageFault
from enrichment_assets.domain.written_contacts import phones_in

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of a page that are read; what is behind is kept with the answer only."""

_HTML = re.compile(
    r"<(?:!doctype|html|head|body|meta|title|div|p|script|table|span|a|h[1-6]|ul|main|section)\b", re.IGNORECASE
)
_DOCUMENT = re.compile(r"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]{0,100}encoding\s*=\s*[\"']([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NO_TEXT = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"RIFF", b"\x00\x00\x00")
_TYPES_OF_TEXT = ("text/", "application/xhtml", "application/xml", "application/json")
_SHIFTS = frozenset(["iso2022_jp", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
"""Encodings whose bytes may be valid UTF-8 of another text."""


def page_of(body: bytes, content_type: str = "", url: str | None = None) -> Page:
    """Read a page. Never raises.

    Args:
        body: The bytes as they came; the first 4 MB are read.
        content_type: What the answer says that they are; HTML is also known by its tags.
        url: Where the page was read: links are relative to it.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if body.startswith(_NO_TEXT) or (kind and not kind.startswith(_TYPES_OF_TEXT) and b"\0" in body[:1024]):
        return Page("", fault=PageFault.NOT_A_PAGE)
    return page_of_text(_decoded(body[:MAX_BYTES], content_type), url, is_html=kind == "text/html" or "xhtml" in kind)


def page_of_text(text: str, url: str | None = None, *, is_html: bool = False) -> Page:
    """Read a page of which the text is there already: HTML, Markdown or plain. Never raises."""
    text = text[:MAX_BYTES].replace("\0", "\ufffd")
    found = Found(base=url)
    if is_html or _looks_like_html(text):
        seen = read_html(text, found)
        text = seen.text
        fault = fault_of(
            text,
            found.title,
            banner=seen.banner,
            has_password=seen.has_password,
            has_scripts=seen.has_scripts,
            refuses=seen.refuses,
        )
    else:
        text = read_markdown(text, found)
        fault = fault_of(text, found.title)
    found.numbers(one.value for one in phones_in(text))
    return Page(
        text=text[:MAX_TEXT],
        title=found.title,
        emails=tuple(found.emails),
        phones=tuple(found.phones),
        links=tuple(found.links),
        link_texts=tuple(found.links.values()),
        language=found.language,
        fault=fault,
    )


def _looks_like_html(text: str) -> bool:
    """Whether a text without a type is HTML: Markdown may begin with a tag too, but then has its own links."""
    if text.lstrip()[:1] != "<":
        return False
    return bool(_DOCUMENT.search(text[:2000]) or (_HTML.search(text[:2000]) and "](" not in text))


def _decoded(body: bytes, content_type: str) -> str:
    """The text of a page in the encoding that it is in, whatever it says: UTF-8 that is valid is UTF-8."""
    for mark, name in _MARKS.items():
        if body.startswith(mark):
            return body.removeprefix(mark).decode(name.removesuffix("-sig"), "replace")
    named = [charset_of(content_type), _named_within(body)]
    declared = [name for name in named if name is not None]
    order = declared if _SHIFTS & set(declared) else ["utf-8", *declared]
    for name in [*order, "utf-8"]:
        try:
            return codecs.getincrementaldecoder(name)().decode(
                body
            )  # a character that the bound cuts in two is left out
        except UnicodeError:
            continue
    return body.decode(next((name for name in declared if name != "utf-8"), "cp1252"), "replace")


def _named_within(body: bytes) -> str | None:
    found = _META_CHARSET.search(body[:4096]) or _XML_CHARSET.match(body[:200])
    name = allowed_charset(found.group(1).decode("ascii", "replace")) if found else None
    return None if name in _SHIFTS - {"iso2022_jp"} else name  # a tag that can be read as ASCII is not in UTF-16
