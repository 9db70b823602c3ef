"""Collects what the servers send back: `python -m tests.services.mail.collect FOLDER 1h 10`.

One file for each report, named `<who was handed the message>-<why>-<who refused it>-<number>.eml`.
"""

from __future__ import annotations

import itertools
import smtplib
import sys
import time
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

LINES = 300_000

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

Hello, may I ask you something? {padding}
--cut
Content-Type: text/html; charset=utf-8

<p>Hello, may I ask you something?</p>
--cut--
"""


def _send(world: MailWorld, server: str, sender: str, recipients: list[str], padding: int = 0) -> str:
    message = MESSAGE.format(sender=sender, to=recipients[0], id=f"{sender.split('@')[0]}", padding="x\n" * padding)
    with smtplib.SMTP("127.0.0.1", world.ports[server], local_hostname="agency.example", timeout=30) as client:
        client.ehlo()
        dsn = client.has_extn("dsn")
        client.mail(sender, [f"ENVID={sender.split('@')[0]}", "RET=HDRS"] if dsn else [])
        for to in recipients:
            answer = client.rcpt(to, ["NOTIFY=FAILURE,DELAY"] if dsn else [])
            if answer[0] >= 400:
                return f"{answer}"
        answer = client.data(message.replace("\n", "\r\n").encode())
        return "" if answer[0] < 400 else f"{answer}"


def _cases() -> dict[str, tuple[str, list[str], int]]:
    """Name -> the server that is handed the message, whom it is to, how many lines it has."""
    cases: dict[str, tuple[str, list[str], int]] = {}
    for own, other in itertools.product(SERVERS, repeat=2):
        for why, to in (LATE if own == other else SAID).items():
            cases[f"{own}-{why}-{other}"] = (own, [to.format(own=own, other=other)], 0)
    for own, other in zip(SERVERS, (*SERVERS[1:], SERVERS[0]), strict=True):
        several = ["nobody@late.{own}.example", "full@{own}.example", "anna@{own}.example", "policy@{other}.example"]
        cases[f"{own}-several-{other}"] = (own, [address.format(own=own, other=other) for address in several], 0)

    cases["postfix-nobody-local"] = ("postfix", ["ghost@local.postfix.example"], 0)
    cases["postfix-large-exim"] = ("postfix", ["anna@exim.example"], LINES)
    cases["postfix-large-opensmtpd"] = ("postfix", ["anna@opensmtpd.example"], LINES)
    cases["postfix-domain-gone"] = ("postfix", ["anna@gone.example"], 0)
    return cases


def collect(folder: Path, tries: str, seconds: float) -> None:
    """Run the servers, send one of each kind, keep what comes back within so many seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = _cases()
    with MailWorld(senders=cases, tries=tries) as world:
        for name, (server, to, lines) in cases.items():
            if said := _send(world, server, f"{name}@agency.example", to, lines):
                print(name, to, said)
        time.sleep(seconds)
        for name in cases:
            for n, message in enumerate(world.mailbox(f"{name}@agency.example")):
                (folder / f"{name}-{n}.eml").write_bytes(message)


if __name__ == "__main__":
    collect(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
