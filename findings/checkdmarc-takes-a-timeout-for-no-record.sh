#!/usr/bin/env bash
# checkdmarc is the best-kept Python package that checks SPF and DMARC. One would expect that a DNS server that fails
# (SERVFAIL, no answer) is told apart from a domain without a record: who takes one for the other tells people to
# publish a record, and two SPF records count for nobody (RFC 7208, 4.5).
#
# Seen: query_spf_record raises SPFRecordNotFound for a server that answers SERVFAIL, the same class as for a domain
# that has none.
#
# The product asks by dnspython itself, and a lookup that fails is `spf.unknown` (docs/mail-check.md).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "checkdmarc==6.0.4" "dnspython==2.9.2" 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import socketserver
import threading

import checkdmarc.spf as spf
import dns.message
import dns.rcode
import dns.resolver
from importlib.metadata import version

class Fails(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        answer.set_rcode(dns.rcode.NXDOMAIN if b"empty" in data else dns.rcode.SERVFAIL)
        socket.sendto(answer.to_wire(), self.client_address)

with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Fails) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], server.server_address[1], 2
    seen = {}
    for domain in ("fails.example.com", "empty.example.com"):
        try:
            spf.query_spf_record(domain, resolver=resolver, retries=0)
        except Exception as error:
            seen[domain] = type(error).__name__
    server.shutdown()

print("checkdmarc", version("checkdmarc"), seen)
assert seen == {"fails.example.com": "SPFRecordNotFound", "empty.example.com": "SPFRecordNotFound"}
PYTHON

echo "OK: a server that fails and a domain without a record are one error"
