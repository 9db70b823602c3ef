"""`make sbom`: the bill of materials of what runs, in CycloneDX, of the lock file; and whether it says what it has to.

    python -m tests.security.bill FOLDER_OF_THE_TOOLS FILE

The tool (cyclonedx-py) holds it against the standard's schema. Here it is made twice, which has to give the same bytes,
and compared with the lock; it may name no place but the public index, where its files and their hashes are found.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-runtime.txt"
INDEX = "https://pypi.org/"
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def made(tools: Path) -> bytes:
    """The bill, as the tool writes it; raises `CalledProcessError` where it breaks the schema."""
    command = [tools / "cyclonedx-py", "requirements", LOCK.name, "--pyproject", "pyproject.toml"]
    command += ["--mc-type", "application", "--output-reproducible", "--validate", "--spec-version", "1.6"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def faults(bill: dict[str, Any], lock: str) -> list[str]:
    """What is wrong with a bill of this lock file: packages that are missing or nobody's, places it must not name."""
    listed = {(_name(one["name"]), one["version"]) for one in bill.get("components", [])}
    pinned = {(_name(name), version) for name, version in PIN.findall(lock)}
    wrong = [f"not in the bill: {name} {version}" for name, version in sorted(pinned - listed)]
    wrong += [f"not in the lock: {name} {version}" for name, version in sorted(listed - pinned)]
    text = json.dumps(bill)
    places = {url for url in re.findall(r'[a-z+]+://[^\s"]+', text) if not url.startswith((INDEX, *_OF_THE_TOOL))}
    wrong += [f"names {place}" for place in sorted(places)]
    wrong += [f"names {place}" for place in (str(ROOT), str(Path.home())) if place != "/" and place in text]
    return wrong


_OF_THE_TOOL = ("http://cyclonedx.org/", "https://cyclonedx", "https://github.com/CycloneDX/")
"""Where the standard and its tool are described; the bill says by what it was made."""


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(tools: Path, target: Path) -> int:
    """Write the bill, unless something is wrong with it."""
    text = made(tools)
    wrong = faults(json.loads(text), LOCK.read_text())
    if made(tools) != text:
        wrong.append("made twice it differs")
    if wrong:
        print("\n".join(wrong))
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text)
    print(f"{target}: {len(json.loads(text)['components'])} packages, CycloneDX 1.6")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), Path(sys.argv[2])))
