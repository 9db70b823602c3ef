#!/usr/bin/env bash
# Expected: the library for company names takes legal forms off, and leaves names alone whose own last word is spelled
#           like one.
# Happens:  cleanco compares words without dots and case. A spa (`Serenity Spa`) and a company limited by shares
#           (`Serenity S.p.A.`) have one base name, and so have `Phoenix PT` (a physiotherapist) and Phoenix. Forms that
#           stand before a name (ООО Ромашка) or without a blank (株式会社トヨタ) stay.
# The product says for each form where and in which spelling it is one (domain/data/legal_forms.csv).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cleanco==2.3
cat > "$folder/look.py" <<'PY'
from cleanco import basename

names = ["Serenity Spa", "Serenity S.p.A.", "Phoenix PT", "ООО Ромашка", "株式会社トヨタ"]
found = [basename(name) for name in names]
print("cleanco 2.3:", dict(zip(names, found)))
assert found == ["Serenity", "Serenity", "Phoenix", "ООО Ромашка", "株式会社トヨタ"], found
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: a spa and an S.p.A. are one company to cleanco"
