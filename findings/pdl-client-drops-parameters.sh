#!/usr/bin/env bash
# The official People Data Labs client (6.4.13) drops parameters that it does not know, without a word.
#
# Expected: a wrong parameter name is an error, or is sent and refused by the service; `from` pages through a search.
# Seen: `linkedin_url=` (the name that everybody else uses; here it is `profile`) is left out, and what is asked is a
# weaker question: a name at a company instead of one profile. That is answered, and billed, with whoever fits best.
# The search's (older) offset, `from`, is called `from_` in the client and goes out as `from_`; given as `from`
# it is dropped: page 2 is page 1 again, and a search bills each record that it returns.
#
# Ours: a request is a template, and what it names is what is sent (docs/workflows.md).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check peopledatalabs==6.4.13
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

from peopledatalabs import PDLPY

SENT: list[dict] = []


class Pdl(BaseHTTPRequestHandler):
    def answer(self, sent: dict) -> None:
        SENT.append(sent)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": 200}')

    def do_GET(self) -> None:
        self.answer({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def log_message(self, *words: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", 0), Pdl)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = PDLPY(api_key="key", base_path=f"http://127.0.0.1:{server.server_port}/v5")
print(f"peopledatalabs {version('peopledatalabs')}")

client.person.enrichment(name="Ann Lee", company="example.com", linkedin_url="linkedin.com/in/ann-lee-4711")
print(f"enrichment(name, company, linkedin_url) sent {sorted(SENT[-1])}")
assert sorted(SENT[-1]) == ["api_key", "company", "name"]

question = {"sql": "select * from person where job_title='cto'", "size": 10}
client.person.search(**question, **{"from": 10})
print(f"search(..., from=10)  sent {sorted(SENT[-1])}")
assert sorted(SENT[-1]) == ["size", "sql"]
client.person.search(**question, from_=10)
print(f"search(..., from_=10) sent {sorted(SENT[-1])}")
assert sorted(SENT[-1]) == ["from_", "size", "sql"]
server.shutdown()
PYTHON
echo "OK: unknown parameters are dropped, and no spelling of the search's offset arrives as 'from'"
