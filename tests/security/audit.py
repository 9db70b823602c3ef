"""`make audit`: what is pinned against published vulnerabilities, and what is committed against the forms of secrets.

    python -m tests.security.audit FOLDER_OF_THE_TOOLS

Where the index that is reached has no vulnerability data, that part says so and does not fail: an unknown is no
finding, and no clean bill either.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ("requirements.txt", "requirements-runtime.txt", "requirements-build.txt", "requirements-audit.txt")
BASELINE = ROOT / "tests/security/known_lines.json"
"""Which forms are looked for (those of known services), and the lines of such a form that are none, each looked at."""

KNOWN_LINES_MOVED = 3
"""Exit code of detect-secrets-hook where every finding is known and only its line number is another now."""


def vulnerabilities(tools: Path) -> bool:
    """Print what is known of every pinned package; True when nothing is, or when nothing can be known here."""
    good = True
    for file in REQUIREMENTS:
        command = [
            tools / "pip-audit",
            "--no-deps",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "-f",
            "json",
            "-r",
            file,
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        try:
            packages = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            print(f"{file}: not audited: no vulnerability data can be reached from here")
            continue
        known = [package for package in packages if "skip_reason" not in package]
        if not known:
            print(f"{file}: not audited: the index reached from here has no vulnerability data")
            continue
        found = [(p["name"], p["version"], v["id"], v["fix_versions"]) for p in known for v in p["vulns"]]
        print(f"{file}: {len(known)} of {len(packages)} packages audited, {len(found)} known vulnerabilities")
        for name, version, number, fixes in found:
            print(f"  {name} {version}: {number}, fixed in {', '.join(fixes) or 'no version yet'}")
        good = good and not found
    return good


def committed_secrets(tools: Path) -> bool:
    """Print lines of tracked files that look like secrets and are not in the baseline; True when there are none."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [
        name for name in listed.stdout.split("\0") if name and not name.startswith(("requirements", "tests/data/"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(BASELINE, folder)  # the hook writes new line numbers into its baseline
        command = [tools / "detect-secrets-hook", "--baseline", copy, *files]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    clean = done.returncode in (0, KNOWN_LINES_MOVED)
    print(f"{len(files)} files looked through for secrets: " + ("none" if clean else "FOUND"))
    if not clean:
        print(done.stdout + done.stderr)
    return clean


def main(tools: Path) -> int:
    """Both checks, whatever the first one finds."""
    results = [vulnerabilities(tools.absolute()), committed_secrets(tools.absolute())]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
