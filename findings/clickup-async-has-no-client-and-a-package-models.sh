#!/usr/bin/env bash
# clickup-async (PyPI) says: `from clickup_async import ClickUp`.
# Expected: installing it gives a package `clickup_async`.
# Seen: its wheel has no such package, and one of the name `models` at the top level, which answers `import models` in a
# program that keeps its own models there by another path. Found when a client was looked for to hold the simulated ClickUp against;
# tests/clickup uses cupt and an OpenAPI of the documented answers instead.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "clickup-async==1.0.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import files, metadata
from importlib.util import find_spec

found = {str(path).partition("/")[0] for path in files("clickup-async") or [] if ".dist-info" not in str(path)}
print("clickup-async", metadata("clickup-async")["Version"], "installs", sorted(found))
assert "from clickup_async import" in (metadata("clickup-async").get_payload() or ""), "its page says so"
assert find_spec("clickup_async") is None, "the client is there now"
assert find_spec("models") is not None, "it has no package `models` any more"
PYTHON
echo "OK: clickup-async 1.0.0 brings a package models, and no client"
