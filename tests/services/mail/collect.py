"""Collects what the servers send back: `python -m tests.services.mail.collect FOLDER 1h 10`.

One file for each report, named `<who was handed the message>-<why>-<who refused it>-<number>.eml`.
"""

from __future__ import annotations

import itertools
import smtplib
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.services.mail.world import SERVERS, MailWorld

LATE = {
    "unknown": "nobody@late.{own}.example",
    "full": "full@{own}.example",
}
"""What a server finds out by itself."""

SAID = {
    "unknown": "nobody@{other}.example",
    "full": "full@{other}.example",
    "policy": "policy@{other}.example",
    "delayed": "busy@{other}.example",
}
"""What another server tells it."""

REFUSED = 400
MANY_LINES = 100_000

MESSAGE = """\
From: Sam Sales <{sender}>
To: <{to}>
Subject: A question about your greens
Date: Mon, 02 Nov 2026 09:00:00 +0000
Message-ID: <{id}@agency.example>
References: <thread.{id}@agency.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="cut"

--cut
Content-Type: text/plain; charset=utf-8

Hello, may I ask you something?
{text}
--cut
Content-Type: text/html; charset=utf-8

<p>Hello, may I ask you something?</p>
--cut--
"""


@dataclass(frozen=True)
class Case:
    """One message that does not arrive: which server is handed it, whom it is to, how many lines it has."""

    server: str
    to: tuple[str, ...]
    lines: int = 1


def cases() -> dict[str, Case]:
    """Name, which is its sender's, -> the case."""
    found: dict[str, Case] = {}
    for own, other in itertools.product(SERVERS, repeat=2):
        for why, to in (LATE if own == other else SAID).items():
            found[f"{own}-{why}-{other}"] = Case(own, (to.format(own=own, other=other),))
    for own, other in zip(SERVERS, (*SERVERS[1:], SERVERS[0]), strict=True):
        several = ("nobody@late.{own}.example", "full@{own}.example", "anna@{own}.example", "policy@{other}.example")
        found[f"{own}-several-{other}"] = Case(own, tuple(to.format(own=own, other=other) for to in several))
    found["postfix-nobody-local"] = Case("postfix", ("ghost@local.postfix.example",))
    found["postfix-large-exim"] = Case("postfix", ("anna@exim.example",), MANY_LINES)
    found["postfix-domain-gone"] = Case("postfix", ("anna@gone.example",))
    return found


def send(world: MailWorld, name: str, case: Case) -> None:
    """Hand the message to its server, which takes it; a server that knows DSN (RFC 3461) is asked for reports."""
    sender = f"{name}@agency.example"
    message = MESSAGE.format(sender=sender, to=case.to[0], id=name, text="Hello.\n" * case.lines)
    with smtplib.SMTP("127.0.0.1", world.ports[case.server], local_hostname="agency.example", timeout=30) as client:
        client.ehlo()
        asks = client.has_extn("dsn")
        client.mail(sender, [f"ENVID={name}", "RET=HDRS"] if asks else [])
        for to in case.to:
            code, said = client.rcpt(to, ["NOTIFY=FAILURE,DELAY"] if asks else [])
            assert code < REFUSED, (name, to, said)
        code, said = client.data(message.replace("\n", "\r\n").encode())
        assert code < REFUSED, (name, said)


def reports(world: MailWorld, name: str) -> list[bytes]:
    """What came back of a case, in order."""
    return world.mailbox(f"{name}@agency.example")


def main(folder: Path, tries: str, seconds: float) -> None:
    """Write what comes back within so many seconds into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with MailWorld(senders=cases(), tries=tries) as world:
        for name, case in cases().items():
            send(world, name, case)
        time.sleep(seconds)
        for name in cases():
            for n, message in enumerate(reports(world, name)):
                (folder / f"{name}-{n}.eml").write_bytes(message)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
