"""What a page says, as a person in front of a screen reads it, and why some pages say nothing."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from enrichment_assets.domain.emails import read_emails
from enrichment_assets.domain.phones import read_phones

MAX_TEXT = 100_000
"""Characters of a page's text that are kept."""

MAX_LINKS, MAX_CONTACTS = 200, 50
MAX_LINK_TEXT = 80
_MAX_ADDRESS = 1000
_MAX_LANGUAGE = 3


class PageFault(StrEnum):
    """Why a page is no content."""

    CONSENT_WALL = "consent_wall"
    LOGIN_WALL = "login_wall"
    PARKED_DOMAIN = "parked_domain"
    ERROR_PAGE = "error_page"
    """Says that the page is gone, that the server is down, or asks whether one is a robot."""
    EMPTY_PAGE = "empty_page"
    """Nothing to read: no text, or a shell that a script has to fill."""
    NOT_A_PAGE = "not_a_page"
    """A PDF, an image, an archive."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page that was read.

    Attributes:
        text: What is to be read, one block a line; headings begin with `#`, members of lists with `-`.
        title: What the page calls itself.
        emails: Addresses in their normal form: of `mailto:` links first, then of the text, then of JSON-LD.
        phones: Numbers as E.164, those of `tel:` links first; of the text only what is written with its country.
        links: Absolute web addresses that it links to, without fragments.
        link_texts: What each of `links` says that it leads to, in the same order; empty where it says nothing.
        language: What the page says that it is in (`de`).
        fault: Why the page is no content; None: it is.
    """

    text: str
    title: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    link_texts: tuple[str, ...] = ()
    language: str | None = None
    fault: PageFault | None = None

    def payload(self) -> dict[str, Any]:
        """The page as an answer's payload, `text` first; `fault` only where there is one."""
        shown = {
            "text": self.text,
            "title": self.title,
            "emails": list(self.emails),
            "phones": list(self.phones),
            "links": list(self.links),
            "link_texts": list(self.link_texts),
            "language": self.language,
        }
        return {**shown, "fault": self.fault.value} if self.fault else shown


@dataclass(slots=True)
class Found:
    """What was met while a page was read."""

    base: str | None
    title: str | None = None
    language: str | None = None
    links: dict[str, str] = field(default_factory=dict)
    emails: dict[str, None] = field(default_factory=dict)
    phones: dict[str, None] = field(default_factory=dict)

    def link(self, target: str, text: str = "") -> str | None:
        """Take the target of a link, and what it says: a page, an address or a number; the page, where it is one.

        Anything else is left. Of a page that is linked to twice, the first text counts that says something.
        """
        target = target.strip()
        scheme = target[:12].partition(":")[0].lower()
        if len(target) > _MAX_ADDRESS:
            return None
        if scheme == "mailto":
            self.addresses(read_emails(unquote(target)).addresses)
        elif scheme in ("tel", "callto"):
            self.numbers(number.number for number in read_phones(unquote(target)).numbers)
        elif (page := self._page(target)) is not None and (page in self.links or len(self.links) < MAX_LINKS):
            self.says(page, text)
            return page
        return None

    def says(self, page: str, text: str) -> None:
        """Take what a link says, of one whose page `link` has given."""
        self.links[page] = self.links.get(page) or " ".join(text.split())[:MAX_LINK_TEXT]

    def addresses(self, addresses: Iterable[str]) -> None:
        """Take e-mail addresses in their normal form."""
        for address in addresses:
            if len(self.emails) < MAX_CONTACTS:
                self.emails[address] = None

    def numbers(self, numbers: Iterable[str]) -> None:
        """Take phone numbers as E.164."""
        for number in numbers:
            if len(self.phones) < MAX_CONTACTS:
                self.phones[number] = None

    def rebase(self, target: str) -> None:
        """Take what a page says that its links are relative to."""
        with suppress(ValueError):
            self.base = urljoin(self.base or "", target.strip()[:_MAX_ADDRESS])

    def says_language(self, tag: str | None) -> None:
        """Take a language tag (`de-AT`); the first that is one counts."""
        code = (tag or "").strip().replace("_", "-").partition("-")[0].lower()
        if self.language is None and 2 <= len(code) <= _MAX_LANGUAGE and code.isascii() and code.isalpha():
            self.language = code

    def _page(self, target: str) -> str | None:
        try:
            page = urldefrag(urljoin(self.base or "", target)).url
            parts = urlsplit(page)
        except ValueError:
            return None
        is_web = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and "@" not in parts.netloc
        is_guarded = "/cdn-cgi/l/email-protection" in parts.path
        return page if is_web and not is_guarded and "\0" not in page and " " not in page else None


def cloudflare_address(code: str) -> str | None:
    """The address that Cloudflare hides in `data-cfemail`: hex, each byte xor the first; None: it is none."""
    try:
        data = bytes.fromhex(code.strip()[:600])
        text = bytes(byte ^ data[0] for byte in data[1:]).decode()
    except (ValueError, IndexError):
        return None
    reading = read_emails(text)
    return reading.addresses[0] if reading.addresses else None
