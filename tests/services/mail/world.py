"""Four real mail servers on loopback: mail goes from any to any, and ends in Dovecot's mailboxes.

They run in a mount and process namespace of their own: accounts and fixed paths are the namespace's, and when its first
process ends, so do all others.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import shutil
import socket
import subprocess
import tempfile
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services.certificates import make_certificates
from tests.services.mail.unpacked import unpack

PATIENCE = 30.0
TEMPLATES = Path(__file__).parent / "etc"
PASSWORD = "made-up"
TOKEN_KEY = b"a made-up key of thirty-two bytes"
"""By which access tokens are signed that Dovecot believes (JWT, HS256)."""

VMAIL = 905

ACCOUNTS = {
    "root": 0,
    "postfix": 901,
    "postdrop": 902,
    "dovecot": 903,
    "dovenull": 904,
    "vmail": VMAIL,
    "Debian-exim": 906,
    "opensmtpd": 907,
    "opensmtpq": 908,
    "nobody": 65534,
}

FILES = {
    "postfix-main.cf": "postfix/main.cf",
    "postfix-master.cf": "postfix/master.cf",
    "postfix-transport": "postfix/transport",
    "postfix-access": "postfix/access",
    "exim.conf": "exim4/exim4.conf",
    "smtpd.conf": "smtpd.conf",
    "dovecot.conf": "dovecot.conf",
    "dovecot-oauth2.conf.ext": "dovecot-oauth2.conf.ext",
}

ENTER = """
set -eu
mount --make-rprivate /
mount --rbind /usr "$1/host/usr"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
for name in etc var run tmp; do mount --bind "$2/$name" "$1/$name"; done
exec chroot "$1" /bin/sh /etc/start
"""

NAMESPACE = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]

START = """
export PATH=/usr/sbin:/usr/bin:/bin
/usr/sbin/dovecot -F -c /etc/dovecot.conf &
/usr/sbin/exim4 -bdf -q1s &
/usr/sbin/smtpd -d 2>/var/log/smtpd.log &
/usr/lib/postfix/sbin/master -c /etc/postfix -s &
wait
"""

POSTFIX_QUEUES = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "maildrop",
    "private",
    "saved",
    "trace",
]

SERVERS = ("postfix", "exim", "opensmtpd")

QUEUES = (
    *(f"postfix/{queue}" for queue in ("maildrop", "incoming", "active", "deferred")),
    "exim4/input",
    "smtpd/queue",
    "smtpd/incoming",
)
QUIET_LOOKS = 3


class MailWorld:
    """Context manager. Each of `SERVERS` takes mail from 127.0.0.1 for the domains of all.

    Of each server S: `S.example` knows its people, refuses others at once, has `full@` (a full mailbox), `policy@`
    (refused with 5.7.1); `late.S.example` takes any address and finds out later. Postfix and Exim have `grey@` and
    `slow@`, and `busy@` which answers 450 for ever. `agency.example` has the senders' mailboxes, which IMAP reads.

    Attributes:
        ports: Of the three, of `imap` (with STARTTLS) and of `imaps`, on 127.0.0.1.
        authority: By which Dovecot's certificate is signed, for `localhost`.
        state: Folder of the servers' files: `var/mail/<domain>/<name>/{new,cur}`, `var/log`.
    """

    def __init__(
        self, people: Iterable[str] = ("anna", "bert"), senders: Iterable[str] = ("sales",), *, tries: str = "1h"
    ) -> None:
        """Describe it.

        Args:
            people: Names known at each server's domain, besides those with a part to play.
            senders: Names at agency.example.
            tries: How long a server tries what is refused for now, as `1h`.
        """
        self._tries = tries
        self._people = [*people, "full", "policy", "grey", "slow", "busy"]
        self._senders = [*senders]

    def __enter__(self) -> Self:
        root = unpack()
        self.state = Path(tempfile.mkdtemp(prefix="enrich-mail-world-"))
        self.state.chmod(0o755)
        self.ports = dict(zip((*SERVERS, "imap", "imaps", "lmtp"), _free_ports(6), strict=True))
        self.authority = make_certificates(self.state / "etc" / "tls", "localhost").authority
        self._write()
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *NAMESPACE, "sh", "-c", ENTER, "sh", root, self.state],
            stdin=subprocess.DEVNULL,
            stdout=(self.state / "out").open("wb"),
            stderr=subprocess.STDOUT,
        )
        try:
            for port in self.ports.values():
                self._wait(port)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        shutil.rmtree(self.state)

    def addresses(self) -> list[str]:
        """Every mailbox there is."""
        return [f"{name}@{server}.example" for server in SERVERS for name in self._people] + [
            f"{name}@agency.example" for name in self._senders
        ]

    def mailbox(self, address: str) -> list[bytes]:
        """The messages in a mailbox as the server keeps them."""
        name, domain = address.split("@")
        folder = self.state / "var" / "mail" / domain / name
        files = [file for part in ("new", "cur") for file in sorted((folder / part).glob("*"))]
        return [file.read_bytes() for file in files]

    def until(self, true: Callable[[], object], patience: float = PATIENCE) -> None:
        """Wait for the servers."""
        deadline = time.monotonic() + patience
        while not true():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.05)

    def come_to_rest(self) -> None:
        """Wait until no server has a mail in its queue any more, nor takes one out of a connection that was cut."""
        for _ in range(QUIET_LOOKS):
            self.until(lambda: not self._queued())
            time.sleep(0.1)

    def _queued(self) -> bool:
        folders = (self.state / "var" / "spool" / queue for queue in QUEUES)
        return any(file.is_file() for folder in folders for file in folder.rglob("*"))

    def logs(self) -> str:
        """The last of what the servers wrote."""
        logs = [self.state / "out", *sorted((self.state / "var" / "log").rglob("*log"))]
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)

    def _write(self) -> None:
        etc, var = self.state / "etc", self.state / "var"
        for folder in ("etc/postfix", "etc/exim4", "run", "tmp", "var/spool", "var/mail", "var/grey", "var/log/exim4"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        for source, target in FILES.items():
            text = (TEMPLATES / source).read_text()
            for name, value in {**self.ports, "tries": self._tries}.items():
                text = text.replace(f"@{name.upper()}@", str(value))
            (etc / target).write_text(text)
        (etc / "start").write_text(START)
        (etc / "passwd").write_text("".join(f"{name}:x:{n}:{n}::/:/bin/sh\n" for name, n in ACCOUNTS.items()))
        (etc / "group").write_text("".join(f"{name}:x:{n}:\n" for name, n in ACCOUNTS.items()))
        (etc / "hosts").write_text("127.0.0.1 localhost mx.postfix.example mx.exim.example mx.opensmtpd.example\n")
        (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
        (etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (etc / "services").write_text("smtp 25/tcp\nlmtp 24/tcp\nimap2 143/tcp imap\n")
        (etc / "mailname").write_text("opensmtpd.example\n")
        (etc / "keys" / "default" / "HS256").mkdir(parents=True)
        (etc / "keys" / "default" / "HS256" / "default").write_bytes(b64encode(TOKEN_KEY))
        self._write_people(etc)
        (var / "run").symlink_to("/run")
        for folder, owner, mode in (
            ("spool/postfix", "root", 0o755),
            *((f"spool/postfix/{queue}", "postfix", 0o700) for queue in POSTFIX_QUEUES),
            ("spool/postfix/pid", "root", 0o755),
            ("spool/postfix/public", "postfix", 0o755),
            ("lib/postfix", "postfix", 0o755),
            ("spool/exim4", "Debian-exim", 0o750),
            ("log/exim4", "Debian-exim", 0o755),
            ("grey", "Debian-exim", 0o755),
            ("spool/smtpd", "root", 0o711),
            ("lib/opensmtpd/empty", "root", 0o755),
            ("mail", "vmail", 0o755),
        ):
            path = var / folder
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
            shutil.chown(path, ACCOUNTS[owner], ACCOUNTS[owner])
        (self.state / "tmp").chmod(0o1777)

    def _write_people(self, etc: Path) -> None:
        addresses = self.addresses()
        small = "userdb_quota_rule=*:bytes=1"
        (etc / "users").write_text(
            "@late.postfix.example here\n" + "".join(f"{address} here\n" for address in addresses)
        )
        (etc / "known").write_text("".join(f"{address}\n" for address in addresses if "opensmtpd" in address))
        (etc / "names").write_text("".join(f"{name}\n" for name in self._people))
        (etc / "mailboxes").write_text(
            "".join(
                f"{address}:{PASSWORD}:{VMAIL}:{VMAIL}::/var/mail::{small if address.startswith('full@') else ''}\n"
                for address in addresses
            )
        )

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.logs()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError(f"nothing listens at {port}\n{self.logs()}")


def access_token(address: str, *, seconds: int = 3600) -> str:
    """An access token for a mailbox, as an identity provider gives out; valid for so many seconds."""
    now = int(time.time())
    parts = [{"alg": "HS256", "typ": "JWT"}, {"email": address, "sub": address, "iat": now - 10, "exp": now + seconds}]
    signed = ".".join(_url64(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_url64(hmac.digest(TOKEN_KEY, signed.encode(), 'sha256'))}"


def _url64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
