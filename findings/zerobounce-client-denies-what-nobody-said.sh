#!/usr/bin/env bash
# The official ZeroBounce client (2.3.0) turns what an answer leaves out into "no".
#
# Expected: a member that is not in the answer is None, as `catchall_domain` and the texts are.
# Seen: `mx_found` and `free_email` are False then: "the domain has no mail server", about which nobody said anything. A
# rule that drops addresses without a mail server drops these, and the vendor's own verdict beside it says "valid".
#
# Ours: what an answer does not have provides no field (domain/mapping.py, tests/engine/test_bulk.py).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zerobouncesdk==2.3.0
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from zerobouncesdk import ZBValidateBatchResponse

answer = {"email_batch": [{"address": "ann@acme.example", "status": "valid", "sub_status": ""}], "errors": []}
(read,) = ZBValidateBatchResponse(answer).email_batch
print("zerobouncesdk", version("zerobouncesdk"))
print("status:", read.status.value, "| mx_found:", read.mx_found, "| free_email:", read.free_email)
print("catchall_domain:", read.catchall_domain, "| mx_record:", read.mx_record)
assert "mx_found" not in answer["email_batch"][0] and read.status.value == "valid"
assert (read.mx_found, read.free_email) == (False, False), "they are None by now"
assert (read.catchall_domain, read.mx_record) == (None, None)
PYTHON
echo "OK: what the answer leaves out is False for two of its members, and None for the others"
