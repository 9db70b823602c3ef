"""One mail address, as an envelope and a header spell it."""

from __future__ import annotations

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from enrichment_assets.domain.mail.refusals import MailRefusedError

_LONGEST, _LONGEST_LOCAL = 254, 64
"""Octets of an address in a path without the angle brackets, and of what stands before the @ (RFC 5321, 4.5.3.1)."""


@dataclass(frozen=True, slots=True)
class MailAddress:
    """An address that mail can go to.

    Attributes:
        local: What stands before the @, in its own case; quoted where it has to be.
        domain: In ASCII (an internationalised name as its A-label), in lower case, without a dot at its end.
    """

    local: str
    domain: str

    def __str__(self) -> str:
        """`local@domain`."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Only a server with SMTPUTF8 (RFC 6531) can be told of it: its local part is not ASCII."""
        return not self.local.isascii()


def mail_address(text: str) -> MailAddress:
    """Read exactly one address, as `Ann@bücher.example` or `ann@acme.example.`; nothing around it, nothing guessed.

    The dot of the DNS root at the end of a domain is no part of an address in mail (RFC 5321, 4.1.2) and goes.

    Raises:
        MailRefusedError: It is none. The message does not repeat it: it may be a person's.
    """
    try:
        found = validate_email(text.removesuffix("."), check_deliverability=False, allow_quoted_local=True)
    except (EmailNotValidError, UnicodeError, ValueError):
        raise MailRefusedError("what should be a mail address is none", code="mail.address") from None
    address = MailAddress(found.local_part, found.ascii_domain.lower())
    if len(str(address).encode()) > _LONGEST or len(address.local.encode()) > _LONGEST_LOCAL:
        raise MailRefusedError(
            f"a mail address has at most {_LONGEST} bytes, and {_LONGEST_LOCAL} before the @",
            code="mail.address_too_long",
        )
    return address
