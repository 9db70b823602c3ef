#!/usr/bin/env bash
# Expected: the translations that pycountry ships (Debian's iso-codes) name each country by a name of its own, so that
#           turning them round gives a table from names in many languages to ISO codes.
# Happens:  some official names are translated by the name of another country: in Slovak the Republic of the Gambia is
#           "Slovenská republika", in Catalan and Persian it is Zambia, and in Persian the State of Eritrea is Palestine.
#           The plain reversal `{translate(name): code}` answers with whichever country comes last.
# Seen with pycountry 26.2.16.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pycountry==26.2.16
cat > "$folder/look.py" <<'PY'
import gettext

import pycountry


def official(language: str, code: str) -> str:
    translate = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language]).gettext
    return translate(pycountry.countries.get(alpha_2=code).official_name)


for language, one, other in (("sk", "GM", "SK"), ("ca", "GM", "ZM"), ("fa", "GM", "ZM"), ("fa", "ER", "PS")):
    names = official(language, one), official(language, other)
    print(language, one, other, *names)
    assert names[0] == names[1], "mended: the two countries have names of their own now"
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: pycountry's translations give two countries one name"
