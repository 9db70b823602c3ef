#!/usr/bin/env bash
# Apprise (2.3.0) sends a notice of type `success` to PagerDuty as a trigger: it opens an incident.
#
# Expected: its PagerDuty plugin knows resolves, so "failure" opens an incident and "success" ends it.
# Seen: by default both are triggers, and none has a dedup_key, so that a repeat is one more incident too. Only with
# `?action=map` in the address a success resolves, and then by a hash of the title: two alerts of one title are one.
#
# Ours: PagerDuty is told by our own sender, with a key for each incident in trigger and resolve (tests/alerts).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apprise==2.3.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import apprise
from apprise.plugins import pagerduty

events = []


class PagerDuty(BaseHTTPRequestHandler):
    def do_POST(self):
        events.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(202)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), PagerDuty)
threading.Thread(target=server.serve_forever, daemon=True).start()
for region in pagerduty.PAGERDUTY_API_LOOKUP:
    pagerduty.PAGERDUTY_API_LOOKUP[region] = f"http://127.0.0.1:{server.server_address[1]}/v2/enqueue"


def told(address, *notices):
    """What PagerDuty gets for these (type, title)."""
    events.clear()
    service = apprise.Apprise()
    assert service.add(address)
    for kind, title in notices:
        assert service.notify(body="batch acme-1", title=title, notify_type=kind)
    return [(event["event_action"], event.get("dedup_key")) for event in events]


print("apprise", version("apprise"))
address = f"pagerduty://{'a' * 32}@{'b' * 32}"
default = told(address, ("failure", "stuck"), ("success", "stuck"))
print("by default:", default)
assert default == [("trigger", None), ("trigger", None)]
mapped = told(f"{address}?action=map", ("failure", "stuck"), ("failure", "stuck"), ("success", "stuck"))
print("action=map:", [(action, str(key)[:8]) for action, key in mapped])
assert [action for action, _ in mapped] == ["trigger", "trigger", "resolve"]
assert len({key for _, key in mapped}) == 1
PYTHON
echo "OK: a success opens an incident, unless the address says action=map"
