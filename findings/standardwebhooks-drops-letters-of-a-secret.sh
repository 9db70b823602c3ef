#!/usr/bin/env bash
# standardwebhooks 1.1.0 takes a secret in URL-safe base64 and signs with fewer bytes than it holds: it drops `-` and `_`.
#
# Expected: a secret that is no standard base64 (Python's `secrets.token_urlsafe` makes such ones) is refused, or read as
# what it is. A library in another language does one or the other, so sender and receiver would soon know.
# Seen: it is decoded without validation, which skips letters outside the alphabet. The key is another one, and shorter.
# Where both sides use this library all signatures fit, until one of them is replaced by another; then none does.
#
# Ours: such a secret is refused when a webhook is added, and a callback's signature by it verifies nothing
# (tests/webhooks/test_messages.py).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import base64
from datetime import datetime, timezone
from importlib.metadata import version

from standardwebhooks.webhooks import Webhook

random = bytes.fromhex("fbefbe" * 2 + "00" * 26)  # 32 bytes: 8 of their letters in base64 are `+`, or URL-safe `-`
secret = "whsec_" + base64.urlsafe_b64encode(random).decode()
moment = datetime(2026, 11, 29, tzinfo=timezone.utc)
signed = Webhook(secret).sign("msg_1", moment, "{}")
meant = Webhook(random).sign("msg_1", moment, "{}")
key = base64.b64decode(secret.removeprefix("whsec_") + "==")
print(f"standardwebhooks {version('standardwebhooks')}: {secret} of {len(random)} bytes is a key of {len(key)} bytes")
assert signed != meant, "URL-safe secrets are read as what they are now"
assert signed == Webhook(key).sign("msg_1", moment, "{}") and len(key) < len(random)
print("OK: a URL-safe secret is taken, and is another key")
PYTHON
