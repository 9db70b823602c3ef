#!/usr/bin/env bash
# Expected: a partition key with `...` in it is refused everywhere, as StaticPartitionsDefinition refuses it: Dagster's
#           command line and backfills write a range of partitions as `first...last`.
# Happens:  dynamic partitions take it in silence. The key stands in the instance, and cannot be named in a range
#           (`--partition-range "a...b...z"` has two of them).
# Seen with dagster 1.13.27.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dagster==1.13.27
cat > "$folder/look.py" <<'PY'
import dagster as dg

with dg.DagsterInstance.ephemeral() as instance:
    instance.add_dynamic_partitions("batches", ["a...b"])
    assert instance.get_dynamic_partitions("batches") == ["a...b"]
try:
    dg.StaticPartitionsDefinition(["a...b"])
except dg.DagsterInvalidDefinitionError as refused:
    assert "..." in str(refused)
else:
    raise SystemExit("static partitions take it too now")
print("dagster", dg.__version__, "- dynamic: taken; static: refused")
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: dynamic partitions take a key that reads as a range, static ones refuse it"
