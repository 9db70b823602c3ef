#!/usr/bin/env bash
# Expected: `pycountry.subdivisions.lookup("Punjab")`, which raises LookupError for what it does not know, says so too
#           where several subdivisions have the name, or takes the letters that people write (`TX`, `NSW`).
# Happens:  it answers with whichever comes first in its file, without a word: Punjab is India's and never Pakistan's,
#           La Rioja Argentina's and never Spain's, Limburg Belgium's and never the Netherlands'. Letters without their
#           country are not found at all, and `get(country_code=...)` of a country without subdivisions is None, no list.
# Seen with pycountry 26.2.16.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pycountry==26.2.16
cat > "$folder/look.py" <<'PY'
import pycountry

for name, first, also in (
    ("Punjab", "IN-PB", "PK-PB"),
    ("La Rioja", "AR-F", "ES-RI"),
    ("Limburg", "BE-VLI", "NL-LI"),
    ("Amazonas", "BR-AM", "PE-AMA"),
):
    found, other = pycountry.subdivisions.lookup(name), pycountry.subdivisions.get(code=also)
    print(name, "->", found.code, "and not", other.code, other.name)
    assert found.code == first and other.name == name, "mended: it takes another one, or says that there are several"
for letters in ("TX", "NSW"):
    try:
        raise SystemExit(f"mended: {letters} is {pycountry.subdivisions.lookup(letters).code}")
    except LookupError:
        print(letters, "is not found")
assert pycountry.subdivisions.get(country_code="VA") in (None, []), "mended"
print("subdivisions of the Vatican:", pycountry.subdivisions.get(country_code="VA"))
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: a state that several countries have is silently the first one's"
