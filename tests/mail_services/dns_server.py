"""A DNS server on loopback that answers from lines `name TYPE value`, and fails for names below `broken.example`."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[str, dict[str, list[str]]]

BROKEN = "broken.example."


def read_zone(text: str) -> Zone:
    """Lines `name TYPE value`; values of TXT are quoted strings."""
    zone: Zone = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith(";"):
            name, kind, value = line.split(None, 2)
            zone.setdefault(f"{name.lower().rstrip('.')}.", {}).setdefault(kind, []).append(value)
    return zone


def reply(zone: Zone, asked: dns.message.Message) -> dns.message.Message:
    answer = dns.message.make_response(asked)
    answer.flags |= dns.flags.RA
    question = asked.question[0]
    name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
    for _ in range(8):
        found = zone.get(name, {})
        if "CNAME" not in found or kind == "CNAME":
            break
        answer.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", *found["CNAME"]))
        name = found["CNAME"][0].lower()
    if name.endswith(BROKEN):
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif values := found.get(kind):
        answer.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *values))
    elif not found and not any(other.endswith(f".{name}") for other in zone):  # RFC 8020: nothing below it either
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer


@contextmanager
def dns_server(zone: Zone) -> Iterator[int]:
    """The port of a server for a zone."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            socket.sendto(reply(zone, dns.message.from_wire(data)).to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
