"""The link by which somebody who was written to says stop: a token that says whom, for this installation to read.

`https://hooks.agency.example/unsubscribe/<token>` stands in `List-Unsubscribe` and in the text of each mail. The token
is the address itself, sealed with the pepper (AES-SIV): it is verified without a database, shows no proxy on the way
who was written to, and still counts when the lead, the batch or the delivery is long gone. It does not expire: an
opt-out that comes months later counts as well (RFC 8058 names no end, the US CAN-SPAM Act 30 days at least).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from enrichment_assets.domain.errors import ConfigurationError

if TYPE_CHECKING:  # the receiver knows the path, and loads the rest with the first link
    from enrichment_assets.domain.suppression import Hasher

PATH = "/unsubscribe/"
"""Where the receiver answers."""

ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""The field that a POST has to hold, and the value of the header `List-Unsubscribe-Post` (RFC 8058, 3.1)."""

LONGEST_TOKEN = 768
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{28,{LONGEST_TOKEN}}}")
_LONGEST_DELIVERY = 128
_KIND, _BETWEEN = "opt-out 1", "\x1f"
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class OptOut:
    """Who says stop to whom.

    Attributes:
        client_id: The client in whose name was written.
        address: Who was written to, in its normal form.
        delivery: The key of the mail; names the event that a click becomes.
    """

    client_id: int
    address: str
    delivery: str


def opt_out_link(base_url: str, opt_out: OptOut, hasher: Hasher) -> str:
    """The address for `List-Unsubscribe` and for the text of the mail. The same for the same mail.

    Args:
        base_url: Where recipients reach the receiver (`Settings.receiver_url`).
        opt_out: Whom it takes off.
        hasher: Of the installation's pepper.

    Raises:
        ConfigurationError: The receiver is not reached by https (RFC 8058, 3.1) though it is not on this machine, or
            the address or the key is none.
    """
    where = urlsplit(base_url)
    if not where.hostname or not (where.scheme == "https" or (where.scheme == "http" and where.hostname in _HERE)):
        raise ConfigurationError(
            f"the receiver's address {base_url!r} is not https: mailbox providers call no other to unsubscribe",
            code="opt_out.address_not_https",
        )
    return base_url.rstrip("/") + PATH + opt_out_token(opt_out, hasher)


def leads_here_only(base_url: str) -> bool:
    """Whether links under an address work on this machine alone: no mail to others may carry one."""
    return urlsplit(base_url).hostname in _HERE


def opt_out_token(opt_out: OptOut, hasher: Hasher) -> str:
    """The token of a link. Raises `ConfigurationError` where the address or the key is none."""
    from enrichment_assets.domain.emails import normalise_email
    from enrichment_assets.domain.sealing import sealed_text

    if normalise_email(opt_out.address) != opt_out.address:
        raise ConfigurationError("an opt-out names one address, in its normal form", code="opt_out.address_invalid")
    if not opt_out.delivery.isprintable() or len(opt_out.delivery) > _LONGEST_DELIVERY:
        raise ConfigurationError(
            f"the key of a mail has at most {_LONGEST_DELIVERY} printable characters", code="opt_out.key_invalid"
        )
    text = _BETWEEN.join((_KIND, str(opt_out.client_id), opt_out.delivery, opt_out.address))
    return base64.urlsafe_b64encode(sealed_text(text, hasher)).decode().rstrip("=")


def is_token(text: str) -> bool:
    """Whether a text has the form of a token; costs nothing."""
    return _TOKEN.fullmatch(text) is not None


def read_opt_out(token: str, hasher: Hasher) -> OptOut | None:
    """Whom a token takes off; None: it was not made here, or changed since, or made with another pepper."""
    from enrichment_assets.domain.sealing import opened_text

    if not is_token(token):
        return None
    try:
        box = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    kind, *parts = (opened_text(box, hasher) or "").split(_BETWEEN)
    if kind != _KIND or len(parts) != 3:
        return None
    client, delivery, address = parts
    return OptOut(int(client), address, delivery)
