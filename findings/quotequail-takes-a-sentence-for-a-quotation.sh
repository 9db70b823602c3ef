#!/usr/bin/env bash
# Expected: a library that finds quoted text looks for a date, an address or quoted lines beside the words: "On ... wrote:"
#           is English, too.
# Happens:  quotequail takes every line that begins with "On" and ends with "wrote:" for Gmail's, and all below it for
#           quoted. Of an answer that quotes nothing and begins "On Monday we wrote:" nothing is left. The other way round,
#           Outlook's block of From, Sent, To and Subject is no quotation to it unless a rule stands above the block.
# The product asks for a date or an address in the line and quoted lines below it (domain/mail/written.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check quotequail==0.5.4
cat > "$folder/look.py" <<'PY'
from quotequail import quote

ANSWER = "On Monday we wrote:\nthe green is wet.\nOn Tuesday it was dry, call me.\n"
OUTLOOK = """Not for us.

From: Sam Sales <sam@agency.example>
Sent: Monday, November 2, 2026 9:00 AM
To: Jane Roe <jane@acme.example>
Subject: A question

Hello
"""


def kept(text):
    return "".join(part for is_new, part in quote(text, quote_intro_line=True) if is_new)


print("quotequail 0.5.4:", repr(kept(ANSWER)), repr(kept(OUTLOOK)))
assert kept(ANSWER) == "", kept(ANSWER)
assert kept(OUTLOOK) == OUTLOOK, kept(OUTLOOK)
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: an answer that quotes nothing is gone, and what Outlook quotes is kept"
