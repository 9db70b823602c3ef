#!/usr/bin/env bash
# dkimpy 1.1.8 (Debian, Mailman): what `dkim.sign()` signs by default has List-Unsubscribe and not List-Unsubscribe-Post.
# RFC 8058 (section 4) needs both under a signature: the one click of Gmail and Yahoo does not count without. Whoever
# takes the second header away, or writes another, leaves the signature valid.
#
# We name what is signed, each header once more than it occurs: enrichment_assets/domain/mail/signing.py,
# tests/mail/test_messages.py.
set -euo pipefail
cd "$(dirname "$0")/.."
"${PYTHON:-.venv/bin/python}" - <<'PY'
import re

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
signature = dkim.sign(mail, b"s1", b"acme.example", pem).decode()
signed = re.search(r"h=(.*?);", "".join(signature.split())).group(1).split(":")
print("signed by default:", ", ".join(signed))
print("list-unsubscribe signed:     ", "list-unsubscribe" in signed)
print("list-unsubscribe-post signed:", "list-unsubscribe-post" in signed)
PY
