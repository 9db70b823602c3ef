#!/usr/bin/env bash
# The official ZenRows client (1.11.0) with retries=2 sends a request again whose answer did not come, though ZenRows
# bills the page that it fetched and not the answer that arrived, and goes on with a request that its client gave up.
#
# Expected: `retries` is for the statuses that its documentation names (422, 429 and 5xx), all of them unbilled.
# Seen: urllib3's Retry(total=2) also covers connections that break and reads that time out, and GET counts as
# harmless: one fetch with a time-out is three requests, each fetched and billed, and ends in an exception.
#
# Ours: a call that left and was not answered is AMBIGUOUS, and is not sent again by itself (tests/laws, docs/crashes.md).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zenrows==1.11.0 requests==2.34.2 urllib3==2.8.0
"$folder/venv/bin/python" - <<'PYTHON'
import socket
import threading
from importlib.metadata import version

import requests
from zenrows import ZenRowsClient


def serve(listener: socket.socket, seen: list[bytes], cut: bool) -> None:
    """Take requests and never answer: say nothing, or cut the connection after the request."""
    held = []
    while True:
        connection, _ = listener.accept()
        seen.append(connection.recv(65536).split(b"\r\n", 1)[0])
        if cut:
            connection.close()
        else:
            held.append(connection)


def count(cut: bool, retries: int) -> int:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, seen, cut), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/"
        try:
            ZenRowsClient("key", retries=retries, base_url=url).fetch("https://example.com/", timeout=0.5)
        except requests.RequestException as error:
            print(f"  {type(error).__name__} after {len(seen)} request(s)")
    return len(seen)


names = ("zenrows", "requests", "urllib3")
print(", ".join(f"{name} {version(name)}" for name in names))
print("no answer within half a second, retries=0 and 2:")
assert (count(cut=False, retries=0), count(cut=False, retries=2)) == (1, 3)
print("connection cut after the request, retries=0 and 2:")
assert (count(cut=True, retries=0), count(cut=True, retries=2)) == (1, 3)
PYTHON
echo "OK: with retries=2 a request without an answer leaves three times"
