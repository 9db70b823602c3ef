#!/usr/bin/env bash
# The official OpenAI client (3.57.0) cuts a line of a batch's results in two where the model wrote a line separator.
#
# Expected: `client.files.content(output_file_id).iter_lines()` gives the lines of the JSONL file, one result each.
# Seen: it also cuts at U+2028, U+2029 and U+0085, which JSON allows inside a string as they are. One result becomes pieces of
# which none is JSON; a loop that skips what it cannot read loses a row that was paid for. `content.splitlines()` over
# the bytes cuts at line ends only.
#
# Ours: results are cut as bytes (`domain/prompts/batch_api.py`), tests/domain/prompts/test_batch_apis.py.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import openai

RESULTS = [
    {"custom_id": "row-1", "response": {"status_code": 200, "body": {"text": "Pumps.\u2028Bremen.\u0085Since 1998."}}},
    {"custom_id": "row-2", "response": {"status_code": 200, "body": {"text": "Valves."}}},
]
FILE = b"".join(json.dumps(result, ensure_ascii=False).encode() + b"\n" for result in RESULTS)


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/jsonl")
        self.send_header("content-length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", 0), Files)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(api_key="k", base_url=f"http://127.0.0.1:{server.server_port}", max_retries=0)
lines = list(client.files.content("file-1").iter_lines())
of_bytes = client.files.content("file-1").content.splitlines()
server.shutdown()

readable = 0
for line in lines:
    try:
        readable += bool(json.loads(line))
    except ValueError:
        pass
print(f"openai {version('openai')}: {len(RESULTS)} results, {len(lines)} lines of iter_lines(), {readable} of them JSON")
assert [json.loads(line) for line in of_bytes] == RESULTS
assert (len(lines), readable) == (4, 1), (len(lines), readable)
print("OK: a result in which the model wrote a line separator is cut, and lost to who reads by iter_lines()")
PYTHON
