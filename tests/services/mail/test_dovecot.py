"""A real IMAP server: how it is logged in to, what is spam there, what is new, and that nothing is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from imap_tools import MailBoxUnencrypted

from enrichment_assets.domain.mail.mailboxes import Security
from enrichment_assets.wire.imap import KEPT, ImapAccess, ImapError, open_mailbox
from tests.services.mail.conftest import READ
from tests.services.mail.world import PASSWORD, MailWorld, access_token

pytestmark = [pytest.mark.services, pytest.mark.timeout(120)]

USER = f"{READ}@agency.example"


def _access(world: MailWorld, security: Security, secret: str = PASSWORD, host: str = "localhost") -> ImapAccess:
    port = world.ports["imaps" if security is Security.TLS else "imap"]
    return ImapAccess(host, port, security, USER, secret, is_token=secret != PASSWORD)


def test_logins_by_password_and_by_token_over_tls_and_none_where_the_certificate_is_not_known(
    world: MailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for security in (Security.TLS, Security.STARTTLS):
        with pytest.raises(ImapError, match="certificate"), open_mailbox(_access(world, security)):
            pass
    monkeypatch.setenv("SSL_CERT_FILE", str(world.authority))
    for security in (Security.TLS, Security.STARTTLS):
        with open_mailbox(_access(world, security)) as mailbox:
            assert mailbox.enter("INBOX")
        with open_mailbox(_access(world, security, access_token(USER))) as mailbox:
            assert mailbox.enter("INBOX")
        with pytest.raises(ImapError, match="certificate"), open_mailbox(_access(world, security, host="127.0.0.1")):
            pass  # it is the certificate of another name
    with pytest.raises(ImapError) as late, open_mailbox(_access(world, Security.TLS, access_token(USER, seconds=-5))):
        pass
    assert late.value.code == "imap.login" and "." in str(late.value) and "eyJ" not in str(late.value)


def test_what_is_new_is_read_once_by_number_and_stays_unseen(world: MailWorld) -> None:
    access = _access(world, Security.PLAIN, host="127.0.0.1")
    with MailBoxUnencrypted("127.0.0.1", world.ports["imap"]).login(USER, PASSWORD) as box:
        for number in (1, 2):
            box.append(f"From: a@b.example\r\nMessage-ID: <{number}@b.example>\r\n\r\nhi\r\n".encode(), "Junk")
        box.append(b"Message-ID: <3@b.example>\r\n\r\n" + b"y" * 3_000_000 + b"\r\n", "Junk")
    with open_mailbox(access) as mailbox:
        assert (mailbox.folders("junk"), sorted(mailbox.folders("junk", "sent"))) == (["Junk"], ["Junk", "Sent"])
        first = mailbox.enter("Junk")
        one, two, three = mailbox.uids(since=datetime.now(UTC).date() - timedelta(days=1))
        assert (mailbox.uids(after=one), mailbox.uids(after=three)) == ([two, three], [])
        assert mailbox.fetch(one) == b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\n\r\nhi\r\n"
        assert len(mailbox.fetch(three) or b"") == KEPT
        assert mailbox.fetch(three + 1) is None
        assert (mailbox.has("<2@b.example>"), mailbox.has("4@b.example")) == (True, False)
    with MailBoxUnencrypted("127.0.0.1", world.ports["imap"]).login(USER, PASSWORD) as box:
        box.folder.set("Junk", readonly=True)
        assert len(box.uids("UNSEEN")) == 3
        box.folder.set("INBOX")
        box.folder.delete("Junk")
        box.folder.create("Junk")
    with open_mailbox(access) as mailbox:
        assert mailbox.enter("Junk") != first and mailbox.uids() == []
        with pytest.raises(ImapError, match="no folder Nope"):
            mailbox.enter("Nope")
