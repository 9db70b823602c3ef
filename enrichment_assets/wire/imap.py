"""Reading a mailbox over IMAP (RFC 9051): what is new in a folder, a message's bytes, whether a Message-ID is there.

Nothing is changed there: folders are opened read-only, and messages are not marked as seen.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date

from imap_tools import AND, BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.mail.mailboxes import Security
from enrichment_assets.wire.failures import trusted_authorities

SECONDS = 30.0
"""For a connection, and for each answer."""

KEPT = 2_000_000
"""Bytes of a message that are fetched: its text, and not its attachments to the end."""

_UID = re.compile(rb"\bUID (\d+)")


class ImapError(EnrichError):
    """The mailbox cannot be read now: no connection, no login, or an answer that is none."""

    default_code = "imap.unreachable"


@dataclass(frozen=True, slots=True, repr=False)
class ImapAccess:
    """How a mailbox is reached; `repr` has no secret.

    Attributes:
        host: Of the server.
        port: Usually 993 (TLS) or 143.
        security: How the connection is made safe.
        user: As whom.
        secret: Password, or access token.
        is_token: The secret is an access token: XOAUTH2.
    """

    host: str
    port: int
    security: Security
    user: str
    secret: str
    is_token: bool = False


class Mailbox:
    """An open connection; see `open_mailbox`."""

    def __init__(self, box: BaseMailBox) -> None:
        self._box = box

    def folders(self, *uses: str) -> list[str]:
        """Folders that the server marks as those of a use (RFC 6154): `junk`, `sent`, `all`."""
        marks = {f"\\{use}" for use in uses}
        return [one.name for one in self._box.folder.list() if marks & {flag.lower() for flag in one.flags}]

    def enter(self, folder: str) -> int:
        """Open a folder read-only; its UIDVALIDITY. Raises `ImapError` where there is none of that name."""
        try:
            self._box.folder.set(folder, readonly=True)
        except ImapToolsError:
            raise ImapError(f"there is no folder {folder} that may be read", code="imap.no_folder") from None
        _, found = self._box.client.response("UIDVALIDITY")
        value = found[-1] if found else None
        if not isinstance(value, bytes) or not value.isdigit():
            raise ImapError(f"the folder {folder} has no UIDVALIDITY", code="imap.no_uidvalidity")
        return int(value)

    def uids(self, *, after: int = 0, since: date | None = None) -> list[int]:
        """UIDs of the open folder in their order: those above one, and of messages that came on that day or later."""
        criteria = AND(uid=f"{after + 1}:*") if since is None else AND(date_gte=since, uid=f"{after + 1}:*")
        found = (int(uid) for uid in self._box.uids(criteria))
        return sorted(uid for uid in found if uid > after)  # `n:*` has the last message, however small its number

    def fetch(self, uid: int) -> bytes | None:
        """A message as it is kept, its first `KEPT` bytes; None: it is gone."""
        status, answer = self._box.client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{KEPT}>)")
        if status != "OK":
            raise ImapError("a message could not be fetched", code="imap.fetch")
        for part in answer:
            if isinstance(part, tuple) and (found := _UID.search(part[0])) and int(found.group(1)) == uid:
                return bytes(part[1])
        return None

    def has(self, message_id: str) -> bool:
        """Whether a message with this Message-ID (with brackets or without) is in the open folder."""
        bare = message_id.strip("<>").replace("\\", "").replace('"', "")
        return bool(self._box.uids(f'HEADER MESSAGE-ID "<{bare}>"'))


@contextmanager
def open_mailbox(access: ImapAccess) -> Iterator[Mailbox]:
    """Log in; the connection is closed at the end.

    Raises:
        ImapError: The server cannot be reached, refuses the login, or answers what is no IMAP; also while it is open.
    """
    try:
        box = _connected(access)
        try:
            if access.is_token:
                box.xoauth2(access.user, access.secret, initial_folder=None)
            elif access.secret.isascii():
                box.login(access.user, access.secret, initial_folder=None)
            else:
                box.login_utf8(access.user, access.secret, initial_folder=None)
        except (ImapToolsError, imaplib.IMAP4.error):
            box.client.shutdown()
            raise ImapError(f"{access.host} refuses the login as {access.user}", code="imap.login") from None
        try:
            yield Mailbox(box)
        finally:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                box.logout()
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        raise ImapError(f"{access.host}:{access.port} cannot be read: {_said(error)}") from error


def _connected(access: ImapAccess) -> BaseMailBox:
    if access.security is Security.TLS:
        return MailBox(access.host, access.port, timeout=SECONDS, ssl_context=trusted_authorities())
    if access.security is Security.STARTTLS:
        return MailBoxStartTls(access.host, access.port, timeout=SECONDS, ssl_context=trusted_authorities())
    return MailBoxUnencrypted(access.host, access.port, timeout=SECONDS)


def _said(error: BaseException) -> str:
    """Why, in a few words, and without what was sent."""
    if isinstance(error, ssl.SSLError):
        return "its certificate is not trusted, or TLS fails"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return " ".join(str(error).split())[:200] or type(error).__name__
