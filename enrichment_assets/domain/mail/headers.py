"""Headers of a mail as bytes.

Python's own policies fold by encoding: an identifier of 80 characters in `References`, or a long address in
`List-Unsubscribe`, becomes `=?utf-8?q?...?=`, which no mail program and no mailbox provider reads as what it was. Here
a line breaks between tokens and nowhere else (RFC 5322, 2.2.3), and only text that is not ASCII is encoded (RFC 2047).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from email.charset import SHORTEST, Charset
from email.header import Header

from enrichment_assets.domain.mail.addresses import MailAddress
from enrichment_assets.domain.mail.refusals import MailRefusedError

FOLDED_AT = 78
"""Characters that a line should have at most (RFC 5322, 2.1.1)."""

LONGEST_LINE = 998
"""Octets that a line may have at most, without CRLF (RFC 5322, 2.1.1; RFC 5321, 4.5.3.1.6)."""

MOST_REFERENCES = 50
"""Of a longer thread its first message and the latest are named."""

_NOT_IN_A_HEADER = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls, halves of characters, and the separators of lines and paragraphs."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_IDENTIFIER = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_URI = re.compile(r"(?:https://|mailto:|http://(?:127\.0\.0\.1|localhost|\[::1\]):)[!#-;=?-\[\]_a-z~%]+")


def one_line(name: str, value: str) -> str:
    """The value without blanks around it.

    Raises:
        MailRefusedError: It has a line break or another control character: whoever put it there could add headers.
    """
    for sign in value:
        if unicodedata.category(sign) in _NOT_IN_A_HEADER:
            raise MailRefusedError(
                f"{name} has a line break or control character (U+{ord(sign):04X}): it has to be one line",
                code="mail.header_not_one_line",
            )
    return value.strip()


def header(name: str, tokens: Sequence[str]) -> bytes:
    r"""A whole header with its CRLF; `tokens` stand a blank apart, and lines break between them only.

    Raises:
        MailRefusedError: A token is longer than a line may be.
    """
    lines, line = [], f"{name}:"
    for token in tokens:
        if token and _width(line) + 1 + _width(token) > FOLDED_AT and line.strip() != f"{name}:":
            lines.append(line)
            line = ""
        line = f"{line} {token}"
    lines.append(line)
    if max(map(_width, lines)) > LONGEST_LINE:
        raise MailRefusedError(
            f"{name} has a word that is longer than a line of a mail may be ({LONGEST_LINE} bytes)",
            code="mail.header_too_long",
        )
    return "".join(f"{one}\r\n" for one in lines).encode()


def text_tokens(name: str, value: str) -> list[str]:
    """Text for a header like Subject: as it is where it is ASCII, else as encoded words."""
    text = one_line(name, value)
    if text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < LONGEST_LINE // 2:
        return text.split(" ")
    return _encoded_words(text)


def address_tokens(name: str, display: str, address: MailAddress) -> list[str]:
    """`Ann Lee <ann@acme.example>`: the name as atoms, as a quoted string, or as encoded words; none: bare address."""
    shown = one_line(name, display)
    spelled = str(address)
    if not shown:
        return [spelled]
    return [*_phrase(shown), f"<{spelled}>"]


def identifier_tokens(name: str, identifiers: Sequence[str]) -> list[str]:
    """Message-IDs, each a token, whole however long it is.

    Raises:
        MailRefusedError: One is no `<left@right>` of printable ASCII.
    """
    for one in identifiers:
        if not _IDENTIFIER.fullmatch(one):
            raise MailRefusedError(
                f"{name} names a message by something else than <left@right> in ASCII", code="mail.message_id"
            )
    if len(identifiers) > MOST_REFERENCES:
        return [identifiers[0], *identifiers[-(MOST_REFERENCES - 1) :]]
    return list(identifiers)


def uri_tokens(name: str, uris: Sequence[str]) -> list[str]:
    """`<https://...>,` and `<mailto:...>`, each a token (RFC 2369).

    Raises:
        MailRefusedError: One is no such address in ASCII.
    """
    for uri in uris:
        if not _URI.fullmatch(uri.translate(_LOWER)):
            raise MailRefusedError(
                f"{name} needs addresses that begin with https:// or mailto: and have no blank in them",
                code="mail.unsubscribe_address",
            )
    return [f"<{uri}>{',' if number < len(uris) else ''}" for number, uri in enumerate(uris, 1)]


_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def _phrase(shown: str) -> list[str]:
    if shown.isascii() and "=?" not in shown:
        if _ATOMS.fullmatch(shown):
            return shown.split(" ")
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'.split(" ")
    return _encoded_words(shown)


def _encoded_words(text: str) -> list[str]:
    """Encoded words of at most 75 characters, none of which ends inside a character."""
    return Header(text, charset=_UTF_8, maxlinelen=75, continuation_ws=" ").encode(splitchars="").split("\n ")


def _utf_8() -> Charset:
    """UTF-8 in whichever of the two encodings is shorter, whatever another library has made of it for the process.

    `email.charset.add_charset` is one table for all: apprise's plugin for mail writes quoted-printable into it
    (findings/apprise-changes-how-every-mail-is-encoded.sh).
    """
    charset = Charset("utf-8")
    charset.header_encoding = SHORTEST
    return charset


_UTF_8 = _utf_8()


def _width(text: str) -> int:
    return len(text.encode())
