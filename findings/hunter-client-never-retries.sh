#!/usr/bin/env bash
# PyHunter 2.1.0 has max_retries=2 and retries 429 and 5xx "with backoff". It never does.
#
# Expected: a first answer of 503, then 200: the client asks twice and returns the address; an error that stays has its
# status code in `status_code`.
# Seen: the client gives up after the first answer, and its exception says status_code None. A requests.Response is
# false for every status from 400 on, and the client asks `if exc.response` before it looks at the status.
# Hunter's 202 ("ask the same again") is the other way round: it is returned as an answer without an address.
#
# Ours: a status decides, not a truth value; 202 is asked again (providers/hunter.py, tests/providers).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyhunter==2.1.0 requests==2.34.2
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from pyhunter import PyHunter
from pyhunter.exceptions import HunterApiError

ANSWERS: list[tuple[int, dict]] = []
ASKED: list[str] = []


class Hunter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ASKED.append(self.path.partition("?")[0])
        status, body = ANSWERS.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *words: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", 0), Hunter)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = PyHunter("key", max_retries=2, retry_backoff=0.01)
client.base_endpoint = f"http://127.0.0.1:{server.server_port}/v2/{{}}"
found = {"data": {"email": "ann@example.com", "score": 97}}
print(f"pyhunter {version('pyhunter')}, requests {version('requests')}")

ANSWERS[:] = [(503, {"errors": [{"id": "internal_error", "code": 503}]}), (200, found)]
try:
    client.email_finder("example.com", first_name="Ann", last_name="Lee")
    raise SystemExit("CHANGED: it retried")
except HunterApiError as error:
    print(f"503 then 200: {len(ASKED)} request, status_code={error.status_code}")
    assert (len(ASKED), error.status_code) == (1, None)

ASKED.clear()
ANSWERS[:] = [(202, {"data": {"email": None, "score": None}}), (200, found)]
answer = client.email_finder("example.com", first_name="Ann", last_name="Lee")
print(f"202 then 200: {len(ASKED)} request, returned {answer}")
assert (len(ASKED), answer) == (1, (None, None))
server.shutdown()
PYTHON
echo "OK: PyHunter retries nothing, hides the status, and takes 'ask again later' for a miss"
