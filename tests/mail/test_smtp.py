"""Handing a message over: what each reply, lost connection and missing ability means, against a real server."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.mailboxes import Security
from enrichment_assets.wire.smtp import Login, Submission, submit
from enrichment_assets.wire.transport import FateUnknown, NotSent
from tests.mail.server import Server, serving

CONTENT = b"From: ann@acme.example\r\nSubject: A word\r\n\r\nHello\r\n.\r\n..two\r\n.three\r\n" + b"x" * 76 + b"\r\n"


def mail(port: int, **changes: Any) -> Submission:
    whole = Submission(f"smtp://127.0.0.1:{port}", Security.PLAIN, "ann@acme.example", "bob@club.example", CONTENT)
    return replace(whole, **changes)


def sent(one: Submission, **more: Any) -> tuple[int, str]:
    """The code, and to what it was said."""
    answer = asyncio.run(submit(one, 10, **more))
    said = json.loads(answer.body)
    assert said["code"] == answer.status
    return answer.status, said["command"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


@pytest.fixture(autouse=True)
def as_new(server: Server) -> None:
    server.taken.clear()
    server.replies.clear()
    server.refused.clear()


def test_a_message_arrives_byte_for_byte(server: Server) -> None:
    assert sent(mail(server.port)) == (250, "message")
    (taken,) = server.taken
    assert taken.content == CONTENT
    assert (taken.mail_from, taken.rcpt_to) == ("ann@acme.example", ["bob@club.example"])


@pytest.mark.parametrize(
    ("command", "reply", "code"),
    [
        ("MAIL", "421 4.3.2 closing", 421),
        ("MAIL", "550 5.7.1 not yours", 550),
        ("RCPT", "550 5.1.1 no such user", 550),
        ("RCPT", "451 4.7.1 greylisted, come back in 300 seconds", 451),
        ("RCPT", "421 4.7.0 try again later", 421),
        ("RCPT", "552 5.2.2 mailbox full", 552),
        ("DATA", "554 5.5.1 no valid recipients", 554),
        ("DATA", "452 4.3.1 disk full", 452),
        ("message", "554 5.7.1 spam", 554),
        ("message", "451 4.3.0 later", 451),
        ("message", "421 4.3.2 shutting down", 421),
    ],
)
def test_a_no_is_an_answer_and_the_message_is_not_there(server: Server, command: str, reply: str, code: int) -> None:
    server.replies[command] = [reply]
    assert sent(mail(server.port)) == (code, command)
    assert server.taken == []
    assert sent(mail(server.port)) == (250, "message")  # and the same bytes may go again
    assert [one.content for one in server.taken] == [CONTENT]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_connection_that_is_lost_before_the_message_lost_nothing(server: Server, command: str) -> None:
    server.replies[command] = ["hang-up"]
    with pytest.raises(NotSent):
        sent(mail(server.port))
    assert server.taken == []


@pytest.mark.parametrize(("reply", "there"), [("hang-up", 0), ("take-and-hang-up", 1)])
def test_one_that_is_lost_behind_the_message_leaves_nobody_knowing(server: Server, reply: str, there: int) -> None:
    server.replies["message"] = [reply]
    with pytest.raises(FateUnknown) as unknown:
        sent(mail(server.port))
    assert not unknown.value.timed_out and len(server.taken) == there


def test_what_is_held_back_at_the_last_moment_does_not_leave(server: Server) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    async def turn() -> None:
        raise Stopped

    for question in ({"may_leave": stop}, {"turn": turn}):
        with pytest.raises(Stopped):
            sent(mail(server.port), **question)
    assert server.taken == []


def test_a_copy_goes_to_our_own_mailbox_and_stops_no_message_where_it_is_refused(server: Server) -> None:
    copied = mail(server.port, copy_to="sent@acme.example")
    assert sent(copied) == (250, "message")
    server.refused["sent@acme.example"] = "550 5.1.1 no such user"
    assert sent(copied) == (250, "message")
    server.refused = {"bob@club.example": "550 5.1.1 no such user"}
    assert sent(copied) == (550, "RCPT")  # the copy alone would say that a mail left
    assert [one.rcpt_to for one in server.taken] == [["bob@club.example", "sent@acme.example"], ["bob@club.example"]]


def test_an_address_that_is_not_ascii_needs_a_server_that_takes_it() -> None:
    content = "To: jörg@club.example\r\n\r\nHello\r\n".encode()
    with serving() as able, serving(smtputf8=False) as unable:
        assert sent(mail(able.port, rcpt_to="jörg@club.example", content=content, needs_smtputf8=True)) == (
            250,
            "message",
        )
        assert [(one.rcpt_to, one.content) for one in able.taken] == [(["jörg@club.example"], content)]
        assert sent(mail(unable.port, rcpt_to="jörg@club.example", content=content, needs_smtputf8=True)) == (
            553,
            "EHLO",
        )
        assert unable.taken == []


def test_a_server_without_8bitmime_takes_our_messages() -> None:
    with serving(eight_bit=False) as old:
        assert sent(mail(old.port)) == (250, "message")
        assert old.taken[0].content == CONTENT


def test_a_mailbox_logs_in_by_password_or_token() -> None:
    with serving(password="open sesame") as guarded:
        for login in (Login("ann@acme.example", "open sesame"), Login("ann@acme.example", None, "open sesame")):
            assert sent(mail(guarded.port, login=login)) == (250, "message")
        assert sent(mail(guarded.port, login=Login("ann@acme.example", "wrong"))) == (535, "AUTH")
        assert sent(mail(guarded.port)) == (530, "MAIL")
        assert len(guarded.taken) == 2
        assert "sesame" not in repr(Login("ann", "open sesame"))


def _certificate(folder: Path, name: str) -> Path:
    """A new key and a certificate of it for 127.0.0.1 that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return file


def test_tls_is_checked_and_nothing_leaves_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, other = _certificate(tmp_path, "trusted"), _certificate(tmp_path, "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    def context(file: Path) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(file)
        return made

    with serving(tls=context(trusted)) as one, serving(tls=context(trusted), first_tls=True) as first:
        assert sent(mail(one.port, security=Security.STARTTLS)) == (250, "message")
        url = f"smtps://127.0.0.1:{first.port}"
        assert sent(mail(first.port, url=url, security=Security.TLS)) == (250, "message")
        assert len(one.taken) == len(first.taken) == 1
    with serving(tls=context(other)) as stranger, serving() as bare:
        for port in (stranger.port, bare.port):
            with pytest.raises(NotSent):
                sent(mail(port, security=Security.STARTTLS))
        with pytest.raises(NotSent):
            sent(mail(bare.port, url=f"smtps://127.0.0.1:{bare.port}", security=Security.TLS))
        assert stranger.taken == bare.taken == []
    with pytest.raises(ConfigurationError):
        sent(mail(25, url="smtp://mail.acme.example:25"))


@asynccontextmanager
async def _reading_from(script: Sequence[bytes | None]) -> Any:
    """A server that says these lines, one per line that it hears, whatever that is; None: nothing any more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in script:
            if line is None:
                await reader.read()
                break
            writer.write(line)
            if line.startswith(b"354"):
                await reader.readuntil(b"\r\n.\r\n")
            else:
                await reader.readline()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


GREETING = (b"220 mx.test\r\n", b"250 mx.test\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n")


@pytest.mark.parametrize(
    ("script", "becomes"),
    [
        ([b"421 4.3.2 too many connections\r\n"], 421),
        ([b"554 5.7.1 blocked\r\n"], 554),
        ([b"nonsense\r\n"], NotSent),
        ([b"220 mx.test\r\n", b"nonsense\r\n"], NotSent),
        ([*GREETING, b"nonsense\r\n"], FateUnknown),
        ([*GREETING, b"354 go on and on\r\n"], FateUnknown),
        ([*GREETING, b"250-queued\r\n250 as 17\r\n"], 250),
        ([*GREETING[:3], b"251 will forward\r\n", b"354 go on\r\n", b"250 OK\r\n"], 250),
        ([*GREETING, b"250 " + b"x" * 9_000 + b"\r\n"], FateUnknown),
        ([*GREETING, None], "time-out"),
        ([*GREETING[:2], None], NotSent),
    ],
)
async def test_whatever_a_server_says_is_an_answer_or_nothing_sent_or_unknown(
    script: list[bytes | None], becomes: Any
) -> None:
    async with _reading_from(script) as port:
        if isinstance(becomes, int):
            assert (await submit(mail(port), 10)).status == becomes
            return
        with pytest.raises(FateUnknown if becomes == "time-out" else becomes) as raised:
            await submit(mail(port), 0.3 if None in script else 10)
        assert getattr(raised.value, "timed_out", False) is (becomes == "time-out")


async def test_a_server_that_is_not_there_took_nothing() -> None:
    async with _reading_from([]) as port:
        pass
    with pytest.raises(NotSent):
        await submit(mail(port), 10)
