#!/usr/bin/env bash
# Loading apprise's (2.3.0) plugin for mail changes how every mail of the process is encoded, its own or not.
#
# Expected: a library that sends notices has no effect on mails that the process builds by itself.
# Seen: the plugin writes quoted-printable into `email.charset`'s table for UTF-8, which is one for the process. It is
# written when a mail address is first added, or any address that makes apprise load its plugins. A subject in Japanese
# takes twice the bytes from then on, and a MIMEText's body is no longer base64; so the bytes of a mail, and what
# was made of them (a hash that somebody approved, a signature), hang on whether an alert went out before.
#
# Ours: the headers of our mails name their encoding themselves, and a test changes the table under them.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apprise==2.3.0
"$folder/venv/bin/python" - <<'PYTHON'
from email.header import Header
from email.mime.text import MIMEText
from importlib.metadata import version

import apprise


def built():
    return Header("株式会社のご案内", charset="utf-8").encode(), MIMEText("Grüße", _charset="utf-8")["Content-Transfer-Encoding"]


before = built()
assert apprise.Apprise().add("json://127.0.0.1:9/")  # no mail at all: a webhook
after = built()
print(f"apprise {version('apprise')}")
print(f"  before: {before[1]:16} {len(before[0]):3} bytes {before[0]}")
print(f"  after:  {after[1]:16} {len(after[0]):3} bytes {after[0]}")
assert before[1] == "base64" and before[0].startswith("=?utf-8?b?")
assert after[1] == "quoted-printable" and after[0].startswith("=?utf-8?q?")
PYTHON
