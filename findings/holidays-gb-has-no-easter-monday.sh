#!/usr/bin/env bash
# Expected: the public holidays of a country are the days on which most of it is closed: Easter Monday and the late summer
#           bank holiday for the United Kingdom, Thanksgiving for Canada, Good Friday for Switzerland.
# Happens:  holidays gives a country without a part only what every part keeps. Easter Monday and the last Monday of August
#           are no holidays of GB (Scotland does not keep them), Thanksgiving is none of CA (9 of 13 parts keep it), Good
#           Friday none of CH (24 of 27). A mail that waits for a working day leaves on each of them.
# The product counts a day for a country that more than half of its parts keep (domain/mail/working_days.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet holidays==0.109
cat > "$folder/look.py" <<'PY'
from datetime import date

from holidays import country_holidays

for country, day, name, keep in (
    ("GB", date(2026, 4, 6), "Easter Monday", 3),
    ("GB", date(2026, 8, 31), "the late summer bank holiday", 3),
    ("CA", date(2026, 10, 12), "Thanksgiving", 9),
    ("CH", date(2026, 4, 3), "Good Friday", 24),
):
    whole = country_holidays(country, years=2026)
    parts = [part for part in whole.subdivisions if day in country_holidays(country, subdiv=part, years=2026)]
    print(f"holidays 0.109: {name} in {country}: {day in whole}; in {len(parts)} of its {len(whole.subdivisions)} parts: True")
    assert day not in whole, (country, name)
    assert len(parts) == keep, (country, name, parts)
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: a holiday that one part of a country does not keep is none of the country"
