#!/usr/bin/env bash
# dkimpy (1.1.8) signs List-Unsubscribe by default, and List-Unsubscribe-Post not.
#
# Expected: RFC 8058 (section 4) asks for both under the DKIM signature, and the library's default list of headers knows
# mailing lists (List-Unsubscribe, List-Help, List-Post ...); so a mail with one-click unsubscribing is signed as it has to be.
# Seen: `dkim.sign()` leaves List-Unsubscribe-Post out. The signature verifies, and one click does not count.
#
# Ours: what is signed is named, each header once more than it occurs, and a test reads the signature.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dkimpy==1.1.8 cryptography==45.0.7
"$folder/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
mail = (
    b"From: ann@acme.example\r\nTo: bob@club.example\r\nSubject: A word\r\n"
    b"List-Unsubscribe: <https://mail.acme.example/u/1>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello\r\n"
)
signature = "".join(dkim.sign(mail, b"s1", b"acme.example", pem).decode().split())
signed = re.search(r";h=(.*?);", signature).group(1).split(":")
print("dkimpy", version("dkimpy"), "signs by default:", ", ".join(signed))
assert "list-unsubscribe" in signed
assert "list-unsubscribe-post" not in signed
PYTHON
echo "OK: List-Unsubscribe is signed by default, List-Unsubscribe-Post is not"
