"""HTML to the text that a reader sees: without scripts, styles, comments, attributes and what is hidden.

Parsed as a browser does (Lexbor), walked without recursion, so that no depth of nesting matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enrichment_assets.domain.pages.linked_data import MAX_SCRIPTS, linked_addresses
from enrichment_assets.domain.pages.page import Found, cloudflare_address
from enrichment_assets.domain.pages.taming import tamed
from enrichment_assets.domain.pages.visibility import Backdrop, is_unseen
from enrichment_assets.domain.written_contacts import emails_in

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_UNSEEN = frozenset(
    """
    script style noscript template svg math head iframe object embed canvas audio video map select option datalist
    textarea input dialog progress meter
    """.split()  # noqa: SIM905
)
_BLOCKS = frozenset(
    """
    address article aside blockquote body button caption center dd details div dl dt fieldset figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hgroup legend li main menu nav ol p pre section summary table tbody tfoot thead tr ul
    """.split()  # noqa: SIM905
)
_HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "##### ", "h6": "###### "}
_BANNER = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|gdpr|dsgvo|ccpa|cmp)[\s_-]?(?:banner|bar|notice|popup|modal|dialog|overlay|layer|box|"
    r"message|container|root|wrapper|consent|manager|law|info|hint|alert|wall)(?:$|[\s_-])"
    r"|onetrust|cybotcookiebot|usercentrics|didomi|truste[-_]|klaro|cookiefirst|borlabs|iubenda-cs|cc-window|cookieyes|cky-"
)


_BLANKS = re.compile(r"\s+")
_GUARDED = "/cdn-cgi/l/email-protection#"
_JOINERS = (".", "_", "-", "+")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader of the page sees.

    `banner`: the text of what asks for consent, which is not in `text`. `has_password`: it asks for one. `has_scripts`:
    it has scripts of its own. `refuses`: what `<noscript>` says to those without.
    """

    text: str
    banner: str
    has_password: bool
    has_scripts: bool
    refuses: str


def read_html(html: str, found: Found) -> Seen:
    """The text of a page; its title, language, links and addresses go into `found`. Never raises."""
    from selectolax.lexbor import LexborHTMLParser

    document = LexborHTMLParser(tamed(html))
    _read_head(document, found)
    walk = _Walk(found)
    if document.body is not None:
        walk.through(document.body)
    refuses = " ".join(" ".join(node.text(separator=" ").split()) for node in document.css("noscript")[:5])
    text, banner = _joined(walk.text), _joined(walk.banner)
    found.addresses(_addresses(text, walk.addresses))
    for script in document.css('script[type="application/ld+json"]')[:MAX_SCRIPTS]:
        found.addresses(linked_addresses(script.text()))
    has_password = document.css_first("input[type=password]") is not None
    return Seen(text, banner, has_password, document.css_first("script") is not None, refuses[:500])


def _read_head(document: LexborHTMLParser, found: Found) -> None:
    if (title := document.css_first("head > title")) is not None:
        found.title = " ".join(title.text().split())[:300] or None
    if (base := document.css_first("base[href]")) is not None:
        found.rebase(base.attributes.get("href") or "")
    for place, name in (("html[lang]", "lang"), ("meta[http-equiv=content-language]", "content")):
        if (node := document.css_first(place)) is not None:
            found.says_language(node.attributes.get(name))


class _Walk:
    """Goes through the elements that are seen, in their order, and writes down what they say."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._open: list[tuple[LexborNode, str, Backdrop, list[str]]] = []
        self._backdrop = Backdrop()
        self.text: list[str] = []
        self.banner: list[str] = []
        self.addresses: list[str] = []
        self._out = self.text
        self._anchors: list[tuple[str | None, int]] = []

    def through(self, root: LexborNode) -> None:
        """Read everything below an element."""
        node: LexborNode | None = root
        while node is not None:
            state = self._backdrop, self._out
            child = node.first_child if self._enters(node) else None
            if child is not None:
                self._open.append((node, node.tag or "", *state))
                node = child
                continue
            self._backdrop, self._out = state
            node = self._following(node)

    def _following(self, node: LexborNode) -> LexborNode | None:
        """The next element beside this one, or beside what is around it; what ends on the way is left."""
        while self._open:
            if (beside := node.next) is not None:
                return beside
            node, tag, self._backdrop, self._out = self._open.pop()
            self._leave(tag)
        return None

    def _enters(self, node: LexborNode) -> bool:
        """Write what an element begins with; whether to go into it."""
        tag = node.tag or ""
        if tag == "-text":
            self._write(node.text_content or "")
        if not tag[:1].isalpha() or tag in _UNSEEN:
            return False
        attributes = node.attributes
        if attributes and (is_unseen(attributes, self._backdrop) or self._is_guarded(attributes)):
            return False
        if attributes:
            self._backdrop = self._backdrop.behind(attributes)
        if tag != "body" and self._is_banner(attributes):
            self._out = self.banner
        if tag == "a" and self._out is self.text:
            self._link(node, attributes)
        if tag in _BLOCKS:
            self._out.append(f"\n\n{_HEADINGS[tag]}" if tag in _HEADINGS else "\n- " if tag == "li" else "\n")
        elif tag in ("br", "hr"):
            self._out.append("\n")
        elif (before := node.prev) is not None and (before.tag or "-")[0].isalpha() and self._is_word():
            self._out.append("" if (node.text() or "").startswith("@") else " ")  # an address in pieces is one word
        return True

    def _link(self, node: LexborNode, attributes: Mapping[str, str | None]) -> None:
        """Take a link; what it says is known when it is left, or said for those who do not see it."""
        label = attributes.get("aria-label") or attributes.get("title") or ""
        page = self._found.link(attributes.get("href") or "", label)
        if node.first_child is not None:
            self._anchors.append((None if label else page, len(self._out)))

    def _leave(self, tag: str) -> None:
        if tag == "a" and self._anchors:
            page, start = self._anchors.pop()
            if page is not None:
                self._found.says(page, "".join(self._out[start:]))
        if tag in _BLOCKS:
            self._out.append("\n")
        elif tag in ("td", "th"):
            self._out.append(" ")

    def _write(self, text: str) -> None:
        if "@" in text and self._out is self.text:
            self.addresses.extend(one.value for one in emails_in(text))
        self._out.append(_BLANKS.sub(" ", text))

    def _is_guarded(self, attributes: Mapping[str, str | None]) -> bool:
        """Whether this stands for an address that Cloudflare hides; the address is written in its place."""
        code = attributes.get("data-cfemail") or (attributes.get("href") or "").partition(_GUARDED)[2]
        address = cloudflare_address(code) if code else None
        if address is not None:
            self._found.addresses([address])
            self._out.append(f" {address} ")
        return address is not None

    def _is_banner(self, attributes: Mapping[str, str | None]) -> bool:
        named = [name for key in ("id", "class") if (name := attributes.get(key))]
        return bool(named) and _BANNER.search(" ".join(named).lower()) is not None

    def _is_word(self) -> bool:
        """Whether the last thing written is more than one letter: letters that move by themselves are one word."""
        return len((self._out[-1] if self._out else "").strip()) > 1


def _joined(parts: list[str]) -> str:
    """Lines without blanks around and between, and no two empty ones in a row."""
    lines = [" ".join(line.split()) for line in "".join(parts).split("\n")]
    shown = "\n".join("" if line in ("-", "#", "##", "###", "####", "#####", "######") else line for line in lines)
    return re.sub(r"\n{2,}(?!#)", "\n", re.sub(r"\n{3,}", "\n\n", shown)).strip()


def _addresses(text: str, alone: list[str]) -> list[str]:
    """The addresses of a text, where words of several elements stand without a blank between them.

    `E-Mail` and `info@acme.de` beside each other are no address `e-mailinfo@acme.de`; `joe.` and `doe@acme.de` are one.
    """
    whole = dict.fromkeys(one.value for one in emails_in(text))
    glued = {
        address
        for address in whole
        for part in alone
        if address != part and address.endswith(part) and not address.removesuffix(part).endswith(_JOINERS)
    }
    parts = {part for part in alone for address in glued if address.endswith(part)}
    return [address for address in (*whole, *alone) if address not in glued and (address in whole or address in parts)]
