#!/usr/bin/env bash
# A left join may say in ON that it is for some rows of the left side only: `on l.field = 'phone' and r.id = l.id`. One
# expects a hash join by `id`, as without the condition, and as Postgres does it. DuckDB 1.5.5 joins by nested loops
# (BLOCKWISE_NL_JOIN), every row with every row: fast in every test, and quadratic with a real list. The same condition
# as part of the value, `on r.id = case when l.field = 'phone' then l.id end`, is a hash join with the same rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - <<'PY'
import time

import duckdb

connection = duckdb.connect()
connection.execute("set enable_progress_bar = false")
connection.execute("create table l as select i as id, if(i % 10 = 0, 'phone', 'title') as field from range(40000) t(i)")
connection.execute("create table r as select i as id, i * 2 as seen from range(40000) t(i)")
query = "select l.id, l.field, r.seen from l left join r on {}"
sides = {
    "condition beside": query.format("l.field = 'phone' and r.id = l.id"),
    "condition in the value": query.format("r.id = case when l.field = 'phone' then l.id end"),
}
plans, seconds, rows = {}, {}, {}
for name, sql in sides.items():
    plans[name] = connection.execute("explain " + sql).fetchall()[0][1]
    started = time.perf_counter()
    rows[name] = sorted(connection.execute(sql).fetchall())
    seconds[name] = time.perf_counter() - started
    print(f"duckdb {duckdb.__version__}, {name}: {seconds[name]:.3f} s")
assert rows["condition beside"] == rows["condition in the value"]
assert "BLOCKWISE_NL_JOIN" in plans["condition beside"], plans["condition beside"]
assert "HASH_JOIN" in plans["condition in the value"], plans["condition in the value"]
print("OK: a condition on the left side alone in ON makes a nested loop; inside the compared value it is a hash join")
PY
