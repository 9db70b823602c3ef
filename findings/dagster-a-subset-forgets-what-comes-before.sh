#!/usr/bin/env bash
# Expected: a run of some assets keeps their order: where `upload -> clean -> call` and `clean` is a spec of the same
#           multi-asset as `call`, a run of `upload` and `call` makes `upload` first, as the graph says that it is upstream.
# Happens:  the op of the multi-asset is given the dependencies of the *selected* specs only. `call` names `clean`, so with
#           `clean` left out nothing holds the op back: it runs before `upload`, or beside it, and a blocking check of
#           `upload` that fails holds nothing back either. It works by luck where the op's name sorts behind.
#           What helps: keep what has to come first in the same op, or give its op a higher `dagster/priority`.
# Seen with dagster 1.13.27.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dagster==1.13.27
cat > "$folder/look.py" <<'PY'
import warnings

import dagster as dg

warnings.simplefilter("ignore")


@dg.asset
def upload() -> None:
    """What everything begins with."""


@dg.multi_asset(
    name="steps",
    specs=[dg.AssetSpec("clean", deps=["upload"], skippable=True), dg.AssetSpec("call", deps=["clean"], skippable=True)],
    can_subset=True,
)
def steps(context):
    for key in ("clean", "call"):
        if dg.AssetKey(key) in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)


def order(*selected: str) -> list[str]:
    with dg.instance_for_test() as instance:
        result = dg.materialize([upload, steps], selection=list(selected), instance=instance)
        return [event.asset_key.to_user_string() for event in result.get_asset_materialization_events()]


everything, without_clean = order("upload", "clean", "call"), order("upload", "call")
print("all three:", everything)
print("without clean:", without_clean)
assert everything == ["upload", "clean", "call"], everything
assert without_clean == ["call", "upload"], without_clean
PY
"$folder/venv/bin/python" "$folder/look.py" 2>/dev/null
echo "OK: a subset runs an op before an asset that its own specs are downstream of"
