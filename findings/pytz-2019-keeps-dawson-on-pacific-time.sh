#!/usr/bin/env bash
# Outreach tools take a closed list of time zones, and for Pacific time it names America/Dawson. Which clock that is
# depends on the year of the time zone table: pytz 2019.3 keeps Yukon on Pacific time, tzdata 2026.2 on UTC-7 all year.
#
# Expected: a zone of such a list keeps the clock that its users know it for, whatever library reads it.
# Seen: in January the two differ by an hour, and no other zone of the list keeps the clock of Los Angeles at all.
#
# Ours: a zone of the list stands for another one only if their offsets agree for two years to come; for Pacific time
# there is none, and the campaign's file is refused with the nearest ones (domain/outreach/time_zones.py,
# tests/outreach/test_campaign_files.py).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytz==2019.3 tzdata==2026.2
PYTHONTZPATH="" "$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import pytz

when = {name: datetime(2027, month, 15, 18, tzinfo=UTC) for name, month in (("January", 1), ("July", 7))}
readers = {f"pytz {version('pytz')}": pytz.timezone, f"tzdata {version('tzdata')}": ZoneInfo}
hours = {
    (table, zone, name): at.astimezone(read(zone)).utcoffset().total_seconds() / 3600
    for table, read in readers.items()
    for zone in ("America/Dawson", "America/Los_Angeles")
    for name, at in when.items()
}
for (table, zone, name), offset in hours.items():
    print(f"{table:14} {zone:20} {name:8} UTC{offset:+.0f}")
old, new = readers
assert [hours[old, "America/Dawson", name] for name in when] == [-8.0, -7.0]
assert [hours[new, "America/Dawson", name] for name in when] == [-7.0, -7.0]
assert all(hours[table, "America/Los_Angeles", "January"] == -8.0 for table in readers)
PYTHON
echo "OK: a mail that is to leave at nine in Los Angeles leaves at eight in winter, or at nine: it depends on the table"
