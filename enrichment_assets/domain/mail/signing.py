"""DKIM signatures (RFC 6376) by dkimpy, for who sends through a server that does not sign itself."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.mail.refusals import MailRefusedError

SIGNED = (
    "from", "from", "to", "to", "subject", "subject", "date", "date", "message-id", "message-id", "in-reply-to",
    "in-reply-to", "references", "references", "reply-to", "reply-to", "list-unsubscribe", "list-unsubscribe",
    "list-unsubscribe-post", "list-unsubscribe-post", "mime-version", "mime-version", "content-type", "content-type",
    "content-transfer-encoding", "content-transfer-encoding",
)  # fmt: skip
"""Each once more than it occurs: one that is added on the way breaks the signature (RFC 6376, 8.15)."""


@dataclass(frozen=True, slots=True, repr=False)
class DkimKey:
    """The key of a domain: `selector._domainkey.domain` has its public half; `pem` is RSA, PKCS#1 or PKCS#8."""

    selector: str
    domain: str
    pem: bytes


def signed(content: bytes, key: DkimKey) -> bytes:
    """The message with a DKIM-Signature before its headers; both List-Unsubscribe headers are signed (RFC 8058, 4).

    Raises:
        MailRefusedError: The key is none.
    """
    from dkim import DKIM, DKIMException  # loaded where something is signed: it brings a resolver

    try:
        signature = DKIM(content).sign(
            key.selector.encode(),
            key.domain.encode(),
            key.pem,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in _occurring(content)],
        )
    except (DKIMException, ValueError, TypeError) as error:
        raise MailRefusedError(
            f"the message cannot be signed with the DKIM key of {key.domain} ({type(error).__name__})",
            code="mail.dkim_key",
        ) from None
    return bytes(signature) + content


def _occurring(content: bytes) -> list[str]:
    """The names of `SIGNED`; those that do not occur are named once, those that do twice."""
    head = content.partition(b"\r\n\r\n")[0].lower()
    there = {line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")}
    once = [name for name in dict.fromkeys(SIGNED) if name not in there]
    return [name for name in SIGNED if name in there] + once
