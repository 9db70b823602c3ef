"""What somebody wrote in an answer: its text, without what it quotes of us, in any language.

Quotations are known by how they are built and not by words: a line that ends in a colon before lines with `>`, a block
of header lines with an address in it (Outlook), a rule before such a block. What a mail program put into HTML to mark
its quotation goes first.
"""

from __future__ import annotations

import re
from email.message import Message
from typing import TYPE_CHECKING

from enrichment_assets.domain.mail.mime import content_of, parts_of
from enrichment_assets.domain.pages.taming import tamed

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

LONGEST = 200_000
"""Characters of a text that are looked at."""

_QUOTES = ", ".join(
    [
        *(".gmail_quote_container", ".gmail_quote", ".gmail_extra", ".yahoo_quoted", ".moz-cite-prefix"),
        *(
            "#mail-editor-reference-message-container",
            "#OLK_SRC_BODY_SECTION",
            ".ms-outlook-mobile-reference-message",
            ".protonmail_quote",
            ".zmail_extra",
        ),
        *('blockquote[type="cite"]', '[name="quote"]'),
    ]
)
"""How Gmail, Yahoo, Thunderbird, Proton, Zoho, Outlook, Apple Mail and GMX mark what they quote."""

_QUOTES_BEHIND = "#divRplyFwdMsg, #appendonsend"
"""Behind these, Outlook quotes to the end of what they stand in."""

_UNSEEN = "script, style, head, title, template"
_BLOCKS = frozenset("address blockquote div dd dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table tr ul".split())  # noqa: SIM905
_HEADER = re.compile(r"^[*_> \t]*[^\W\d_][^:\n]{0,30}[*_]* ?[:：][*_]*\s*(\S.*)?$")
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
_BRACKETED = re.compile(r"[<(]\s*[^\s@<>]+@[^\s@<>]+\s*[>)]")
_RULE = re.compile(r"^\s*(?:_{20,}|-{20,}|={20,})\s*$")
_NAMED_RULE = re.compile(r"^\s*-{2,}\s*\S[^-]{3,60}\S\s*-{2,}\s*$")
_INTRODUCES = re.compile(r"[:：]\s*$")
_DATED = re.compile(r"\d{1,4}[./-]\d|\d{1,2}:\d\d|\b(?:19|20)\d\d\b")
_SIGNATURE = re.compile(r"^-- ?$")
_LEAST_HEADERS, _LEAST_BELOW_A_RULE = 3, 2
_INTRO_LINES = 3
_MOST_MARKS = 10


def written_in(message: Message) -> str:
    """What the author of a message wrote, without attachments; of one in HTML alone what a reader sees."""
    texts: dict[str, str] = {}
    for part in parts_of(message):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
            texts.setdefault(kind, content_of(part)[:LONGEST])
    if texts.get("text/plain", "").strip():
        return cut(_plain(texts["text/plain"]))
    return cut(_seen(texts.get("text/html", "")))


def cut(text: str) -> str:
    """A text up to where it begins to quote; lines with `>` and a signature behind `--` are left out too.

    Answers below or between quoted lines are kept: there only the quoted lines go.
    """
    lines = text.splitlines()
    kept: list[str] = []
    number = 0
    while number < len(lines):
        if _begins_quotation(lines, number):
            break
        skip = _introduction(lines, number)
        if skip:
            number += skip
        elif lines[number].lstrip().startswith(">"):
            number += 1
        elif _SIGNATURE.match(lines[number]):
            break
        else:
            kept.append(lines[number])
            number += 1
    return "\n".join(kept).strip()


def _begins_quotation(lines: list[str], number: int) -> bool:
    """Whether from here on all is quoted: Outlook's block of headers, perhaps below a rule, or Yahoo's line."""
    line = lines[number]
    if _attributes(lines, number):
        return True
    if _RULE.match(line) or _NAMED_RULE.match(line):
        following = next((n for n in range(number + 1, min(number + 4, len(lines))) if lines[n].strip()), None)
        return following is not None and len(_headers_at(lines, following)) >= _LEAST_BELOW_A_RULE
    block = _headers_at(lines, number)
    text = "\n".join(block)
    return len(block) >= _LEAST_HEADERS and bool(_ADDRESS.search(text) and _DATED.search(text))


def _attributes(lines: list[str], number: int) -> bool:
    """Whether a line says who wrote what stands below, and when (`On ..., Sam <sam@...> wrote:`), without a `>`."""
    for count in range(1, _INTRO_LINES + 1):
        text = " ".join(line.strip() for line in lines[number : number + count])
        if number + count > len(lines) or not lines[number + count - 1].strip():
            return False
        if _INTRODUCES.search(text):
            return bool(_BRACKETED.search(text) and _DATED.search(text)) and _is_unmarked(lines[number + count :])
    return False


def _is_unmarked(below: list[str]) -> bool:
    return not next((line for line in below if line.strip()), "").lstrip().startswith(">")


def _headers_at(lines: list[str], number: int) -> list[str]:
    """The header lines that stand here."""
    block: list[str] = []
    for line in lines[number : number + 12]:
        if _HEADER.match(line):
            block.append(line)
        elif not line.strip() or len(block) < _LEAST_BELOW_A_RULE:
            break  # else a long list of recipients goes on here
    return block


def _introduction(lines: list[str], number: int) -> int:
    """How many lines from here on introduce a quotation (`On ... Sam wrote:`), which begins behind them; else 0."""
    if not lines[number].strip() or lines[number].lstrip().startswith(">"):
        return 0
    for count in range(1, _INTRO_LINES + 1):
        if number + count > len(lines) or not lines[number + count - 1].strip():
            return 0
        if not _INTRODUCES.search(lines[number + count - 1]):
            continue
        below = next((line for line in lines[number + count :] if line.strip()), "")
        text = " ".join(lines[number : number + count])
        if below.lstrip().startswith(">") and (_DATED.search(text) or _ADDRESS.search(text)):
            return count
        return 0
    return 0


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")


def _seen(html: str) -> str:
    """HTML as lines of text, without what a mail program marks as quoted."""
    from selectolax.lexbor import LexborHTMLParser

    document = LexborHTMLParser(tamed(html))
    for node in document.css(_UNSEEN):
        node.decompose()
    _take_out_quotes(document)
    if document.body is None:
        return ""
    pieces: list[str] = []
    for node in document.body.traverse(include_text=True):
        pieces.extend(_piece(node))
    lines = (" ".join(line.split()) for line in "".join(pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _take_out_quotes(document: LexborHTMLParser) -> None:
    for node in document.css(_QUOTES):
        node.decompose()
    for mark in document.css(_QUOTES_BEHIND)[:_MOST_MARKS]:
        while mark.next is not None:
            mark.next.decompose()
        mark.decompose()


def _piece(node: LexborNode) -> list[str]:
    if node.tag == "-text":
        return [" ".join(_plain(node.text_content or "").split("\n"))]
    return ["\n"] if node.tag == "br" or node.tag in _BLOCKS else []
