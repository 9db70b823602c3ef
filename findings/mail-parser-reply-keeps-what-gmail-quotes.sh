#!/usr/bin/env bash
# Expected: a reply parser that is told the language cuts what Gmail quotes in that language: it is the most frequent
#           program, and writes one line of its own above the quotation.
# Happens:  mail-parser-reply knows Gmail's line in German, French and Italian, and in Spanish, Dutch, Polish and
#           Portuguese it gives back the whole mail, quotation and all. What was quoted is our own mail, whose footer says
#           how to unsubscribe: whoever looks for a wish to be left alone finds ours in every answer.
# The product knows a quotation by how it is built, in any language (domain/mail/written.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mail-parser-reply==1.36
cat > "$folder/look.py" <<'PY'
from mailparser_reply import EmailReplyParser

LINES = {
    "de": "Am Mo., 2. Nov. 2026 um 09:00 Uhr schrieb Sam <sam@agency.example>:",
    "fr": "Le lun. 2 nov. 2026 à 09:00, Sam <sam@agency.example> a écrit :",
    "it": "Il giorno lun 2 nov 2026 alle ore 09:00 Sam <sam@agency.example> ha scritto:",
    "es": "El lun, 2 nov 2026 a las 9:00, Sam (<sam@agency.example>) escribió:",
    "nl": "Op ma 2 nov 2026 om 09:00 schreef Sam <sam@agency.example>:",
    "pl": "pon., 2 lis 2026 o 09:00 Sam <sam@agency.example> napisał(a):",
    "pt": "Em seg., 2 de nov. de 2026 às 09:00, Sam <sam@agency.example> escreveu:",
}
found = {}
for language, line in LINES.items():
    text = f"OK.\n\n{line}\n\n> Hello\n> unsubscribe here\n"
    found[language] = "unsubscribe" in EmailReplyParser(languages=[language]).parse_reply(text)
print("mail-parser-reply 1.36 keeps the quotation:", found)
assert found == {"de": False, "fr": False, "it": False, "es": True, "nl": True, "pl": True, "pt": True}, found
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: of Gmail's lines in seven languages it knows three"
