#!/usr/bin/env bash
# Expected: `relation.arrow()` is a pyarrow.Table, as DuckDB's Python guides had it for years: it has a length, and may be
#           read as often as one likes.
# Happens:  it is a RecordBatchReader. It has no length, and whoever reads it a second time gets 0 rows, no error: a
#           count that is taken first leaves an empty list for the export. `to_arrow_table()` gives the table.
# Seen with duckdb 1.5.5 and pyarrow 26.0.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet duckdb==1.5.5 pyarrow==26.0.1
cat > "$folder/look.py" <<'PY'
import duckdb
import pyarrow as pa

leads = duckdb.sql("select 'Ada' as name union all select 'Grace'")
answer = leads.arrow()
assert isinstance(answer, pa.RecordBatchReader), type(answer)
assert not hasattr(answer, "__len__")
rows = [answer.read_all().num_rows, answer.read_all().num_rows]
assert rows == [2, 0], rows
table = leads.to_arrow_table()
assert [table.num_rows, table.num_rows] == [2, 2]
print("duckdb", duckdb.__version__, "- arrow(), read twice:", rows, "- to_arrow_table():", table.num_rows)
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: arrow() is a reader that is empty the second time"
