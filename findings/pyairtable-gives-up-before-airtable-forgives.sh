#!/usr/bin/env bash
# pyairtable (3.5.1) repeats what Airtable refused for being too fast five times within three seconds, and gives up.
#
# Expected: its retries outlast the limit. Airtable answers 429 to who asks more than five times a second of a base, and
# goes on doing so for 30 seconds ("you will need to wait 30 seconds before subsequent requests will succeed").
# Seen: by default it waits 0, 0.2, 0.4, 0.8 and 1.6 s. All six requests fall into the 30 seconds, and the caller gets
# an error of urllib3's retries in place of the 429. No header says how long to wait, so that nothing lengthens them.
#
# Ours: a 429 of Airtable's rests for 30 seconds (providers/airtable.py, tests/providers/test_classification.py).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyairtable==3.5.1
"$folder/venv/bin/python" - <<'PYTHON'
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from pyairtable import Api
from requests.exceptions import RetryError

asked = []


class TooFast(BaseHTTPRequestHandler):
    """A base in its 30 seconds."""

    def do_GET(self):
        asked.append(time.monotonic())
        body = b'{"errors":[{"error":"RATE_LIMIT_REACHED","message":"Rate limit exceeded. Please try again later"}]}'
        self.send_response(429)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), TooFast)
threading.Thread(target=server.serve_forever, daemon=True).start()
table = Api("pat", endpoint_url=f"http://127.0.0.1:{server.server_port}").table("appAcme", "Leads")
try:
    table.all()
    raise SystemExit("it got an answer")
except RetryError as error:
    said = error
server.shutdown()
waits = [round(later - sooner, 1) for sooner, later in zip(asked, asked[1:])]
print("pyairtable", version("pyairtable"), "| requests:", len(asked), "| waits:", waits)
print("raised:", type(said).__name__, "| the answer's own words:", "RATE_LIMIT_REACHED" in str(said))
assert len(asked) == 6 and asked[-1] - asked[0] < 30, "its retries last 30 seconds by now"
assert "RATE_LIMIT_REACHED" not in str(said)
PYTHON
echo "OK: six requests within a few seconds, then an error that does not have Airtable's words"
