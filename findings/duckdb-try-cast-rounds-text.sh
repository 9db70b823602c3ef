#!/usr/bin/env bash
# Expected: `try_cast` of a text that is no value of the type is null: '2.5' is no INTEGER. PostgreSQL refuses
#           '2.5'::integer.
# Happens:  it is 3, rounded. So a score of 2.5 in an answer becomes 3 in a typed column, and nothing says so. A seventh
#           digit is rounded away in a DECIMAL(18,6), '1_000' is 1000, and a number that is too large is infinite in a
#           DOUBLE. A text has to be checked before it is cast.
# Seen with duckdb 1.5.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - <<'PYTHON'
import math
import duckdb

def taken(text, kind):
    return duckdb.sql(f"select try_cast('{text}' as {kind})").fetchone()[0]

print("duckdb", duckdb.__version__)
seen = {(text, kind): taken(text, kind) for text, kind in [
    ("2.5", "integer"), ("-0.5", "bigint"), ("1_000", "integer"), ("1.23456789", "decimal(18,6)"), ("1e400", "double"),
]}
for (text, kind), value in seen.items():
    print(f"try_cast({text!r} as {kind}) = {value!r}")
assert seen["2.5", "integer"] == 3, "no longer rounded up"
assert seen["-0.5", "bigint"] == -1
assert seen["1_000", "integer"] == 1000
assert str(seen["1.23456789", "decimal(18,6)"]) == "1.234568"
assert math.isinf(seen["1e400", "double"])
PYTHON
echo "OK: TRY_CAST of a text rounds it, instead of giving null"
