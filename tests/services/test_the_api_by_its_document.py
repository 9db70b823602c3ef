"""The API keeps to its OpenAPI document whatever it is sent: schemathesis makes requests of it, also wrong ones.

It is installed for this from the package index, into an environment of its own. `SCHEMATHESIS_EXAMPLES` (default 8) is
how many requests it makes up for each route and person beside those that it derives from the document's bounds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.domain.access import Role
from enrichment_assets.services.access.api_keys import create_key
from enrichment_assets.web.api.openapi import document
from enrichment_assets.web.api.routes import ROUTES
from tests.access.askers import BATCH, Desk, desk
from tests.actors import TESTER
from tests.services.serving import served

__all__ = ["desk"]

pytestmark = [pytest.mark.services, pytest.mark.timeout(3_600)]

PACKAGES = ["schemathesis==4.32.5"]
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,missing_required_header"
)


@pytest.fixture(scope="module")
def schemathesis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = tmp_path_factory.mktemp("schemathesis") / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES], check=True)
    return python.with_name("schemathesis")


@pytest.fixture(scope="module")
def address(desk: Desk) -> Iterator[str]:
    with served(desk.office) as found:
        yield found


def with_what_there_is(desk: Desk) -> dict[str, Any]:
    """The document, where whatever names a thing names one of acme's, or one that there is not."""
    said: dict[str, Any] = json.loads(json.dumps(document(ROUTES)))
    known: dict[str, list[Any]] = {
        "batch": [BATCH["acme"], "nothing-1"],
        "item": [str(desk.items["acme"]), "0", "x"],
        "upload": [str(desk.uploads["acme"]), "0"],
        "client": ["acme", "nobody", ""],
        "workflow": ["normalise-name", "nothing"],
        "pipeline": ["normalise", "research-and-write", "nothing"],
        "gate_rule": ["fresh", "nothing"],
    }
    for methods in said["paths"].values():
        for operation in methods.values():
            for one in operation["parameters"]:
                if (one["in"] == "path" and one["name"] in known) or one["name"] == "client":
                    one["schema"] = {"type": "string", "enum": known[one["name"]]}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            for name in body.get("properties", {}):
                if name in ("client", "batch", "workflow", "pipeline"):
                    body["properties"][name] = {"type": "string", "enum": known[name]}
    return said


@pytest.mark.parametrize("who", ["owner", "one scope of one client"])
def test_whatever_the_api_is_sent_it_answers_as_its_document_says(
    schemathesis: Path, desk: Desk, address: str, tmp_path: Path, who: str
) -> None:
    if who == "owner":
        desk.office.add("olive", Role.OWNER)
        header = f"cookie: enrich_session={desk.office.log_in('olive').session}"
    else:
        made = create_key(desk.office.hq, "narrow", {"leads:read"}, actor=TESTER, client="acme")
        header = f"authorization: Bearer {made.text}"
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(with_what_there_is(desk)))
    examples = os.environ.get("SCHEMATHESIS_EXAMPLES", "8")
    done = subprocess.run(
        [
            *[str(schemathesis), "run", str(path), "--url", address, "--header", header],
            *["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", examples],
            *["--generation-deterministic", "--no-color", "--warnings", "off"],
            *["--suppress-health-check", "all", "--continue-on-failure"],
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=3_000,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert f"Tested: {len(ROUTES)}" in done.stdout, done.stdout[-3_000:]
