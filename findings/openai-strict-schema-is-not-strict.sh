#!/usr/bin/env bash
# openai 3.57.0 makes a "strict" JSON Schema of a pydantic model that breaks the rules of strict schemas.
#
# Expected: `to_strict_json_schema`, which the client uses for `response_format=Model`, gives what OpenAI's page on
# structured outputs permits: every object closed, no `default`. Keywords for bounds depend on the model.
# Seen: a field with a default becomes required and keeps its `default` (only a default of None is taken out), and a
# `dict[str, int]` stays an open object. Both are on the page's list of what is not permitted; the request is a 400, and
# which of a hundred fields it was is in the message only.
#
# Ours: `enrich workflow add` refuses such a schema with the place of each (domain/prompts/schemas.py); bounds are
# stripped before they leave and validated here (tests/domain/prompts/test_schemas.py has both shapes).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0 pydantic==2.12.3
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, Field


class Verdict(BaseModel):
    grade: str = "C"
    score: int = Field(ge=0, le=100)
    votes: dict[str, int]
    note: str | None = None


schema = to_strict_json_schema(Verdict)
members = schema["properties"]
print(f"openai {version('openai')}, pydantic {version('pydantic')}")
print(f"required: {schema['required']}, closed: {schema['additionalProperties'] is False}")
print(f"grade: {members['grade']}")
print(f"votes: {members['votes']}")
print(f"note:  {members['note']}")
assert schema["required"] == ["grade", "score", "votes", "note"] and schema["additionalProperties"] is False
assert "default" not in members["note"], "a default of None is taken out"
if members["grade"].get("default") != "C" or members["votes"]["additionalProperties"] is False:
    raise SystemExit("CHANGED: the schema keeps to the rules")
PYTHON
echo "OK: the strict schema keeps a default and an open object, which strict schemas must not have"
