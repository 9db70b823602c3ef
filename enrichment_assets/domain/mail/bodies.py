"""The text of a mail as bytes that every server passes on: lines of at most 76 characters, ASCII only.

Nothing here needs 8BITMIME of the server, and no line is long enough to be broken on the way.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from dataclasses import dataclass

from enrichment_assets.domain.mail.refusals import MailRefusedError

_BREAKS = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ud800-\udfff]")
_FROM = re.compile(rb"(?m)^From (?=.{0,69}\r$)")
"""Some mailboxes write `>From ` for it, which breaks a signature."""

_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]")
_PLAIN_LINE = 76


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mail.

    Attributes:
        media_type: As `text/plain`.
        encoding: Of the transfer: `7bit`, `quoted-printable`, `base64`.
        content: The encoded lines, each with its CRLF.
    """

    media_type: str
    encoding: str
    content: bytes


def lines_of(text: str) -> str:
    r"""The text with CRLF after each line, whatever ended its lines before (`\n`, a bare `\r`).

    Raises:
        MailRefusedError: It has a control character, which no reader sees and many servers refuse.
    """
    clean = _BREAKS.sub("\n", text)
    if found := _CONTROL.search(clean):
        raise MailRefusedError(
            f"the text has a control character (U+{ord(found.group()):04X})", code="mail.control_character"
        )
    return "".join(f"{line}\r\n" for line in clean.rstrip("\n").split("\n"))


def text_part(text: str) -> Part:
    """The text as `text/plain`."""
    return _part("text/plain", lines_of(text))


def html_part(text: str) -> Part:
    """The same words as `text/html`: paragraphs, line breaks and links, no image and nothing that counts readers."""
    paragraphs = re.split(r"(?:\r\n){2,}", lines_of(text).rstrip("\r\n"))
    body = "".join(
        f"<p>{_linked(one).replace(chr(13) + chr(10), '<br>' + chr(13) + chr(10))}</p>\r\n" for one in paragraphs
    )
    return _part(
        "text/html", f'<!DOCTYPE html>\r\n<html><head><meta charset="utf-8"></head><body>\r\n{body}</body></html>\r\n'
    )


def _linked(text: str) -> str:
    pieces, end = [], 0
    for found in _LINK.finditer(text):
        url = html.escape(found.group())
        pieces += [html.escape(text[end : found.start()]), f'<a href="{url}">{url}</a>']
        end = found.end()
    return "".join([*pieces, html.escape(text[end:])])


def _part(media_type: str, lines: str) -> Part:
    raw = lines.encode()
    if lines.isascii() and max(map(len, lines.split("\r\n"))) <= _PLAIN_LINE and "\r\nFrom " not in f"\r\n{lines}":
        return Part(media_type, "7bit", raw)
    printable = _FROM.sub(b"=46rom ", binascii.b2a_qp(raw, istext=True))
    wrapped = base64.encodebytes(raw).replace(b"\n", b"\r\n")
    if len(wrapped) < len(printable):
        return Part(media_type, "base64", wrapped)
    return Part(media_type, "quoted-printable", printable)
