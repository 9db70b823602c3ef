#!/usr/bin/env bash
# One expects: flufl.bounce (Mailman's detectors of bounces) tells permanent failures from temporary ones and from refusals
# of a message: its interface returns a set of each. It reads the Action of an RFC 3464 report and never its Status: a full
# mailbox (5.2.2), a refusal as spam (5.7.1), a message that expired after greylisting (4.4.7) and one that was too large
# (5.3.4) are permanent failures of the address, as an unknown user is. Who gives up every address that it names gives up
# people whose mailbox was full for a day, and all of a company whose filter did not like one mail.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check flufl.bounce==6.0.0

"$folder/venv/bin/python" - <<'PY'
from email import message_from_string
from importlib.metadata import version

from flufl.bounce import all_failures

REPORT = """\
From: MAILER-DAEMON@mx.acme.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain

Your message could not be delivered.
--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; jane@acme.example
Action: failed
Status: {status}
Diagnostic-Code: smtp; {said}

--cut--
"""

CASES = {
    "5.1.1": "550 5.1.1 User unknown",
    "5.2.2": "552 5.2.2 Quota exceeded (mailbox for user is full)",
    "5.7.1": "550 5.7.1 Message refused as spam",
    "5.3.4": "552 5.3.4 Message too big for system",
    "4.4.7": "450 4.2.0 Greylisted: retry timeout exceeded",
}

print(f"flufl.bounce {version('flufl.bounce')}")
for status, said in CASES.items():
    temporary, permanent = all_failures(message_from_string(REPORT.format(status=status, said=said)))
    print(f"{said:50} temporary {sorted(temporary)}, permanent {sorted(permanent)}")
    assert (temporary, permanent) == (frozenset(), frozenset({b"jane@acme.example"})), said
PY
echo "OK: every failed report is a permanent failure of the address to flufl.bounce, whatever its status says"
