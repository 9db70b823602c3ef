"""A program for the supervisor's tests: supervises the commands given as JSON, says what it says to standard output.

Arguments: folder for logs, `{"name": [command...], ...}`, and the reaper's last command as a JSON list.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from enrichment_assets.installation.supervisor import Service, Supervisor

logs_dir, commands, last_command = Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])


def made(name: str, command: list[str]) -> Service:
    """A service that answers once its folder has a file of its name; `late` waits for `early`."""
    flag = logs_dir / f"{name}.flag"
    return Service(
        name, command, answers=flag.exists if name == "early" else None, after=["early"] if name == "late" else []
    )


Supervisor(
    [made(name, command) for name, command in commands.items()],
    logs_dir=logs_dir,
    environment=os.environ,
    say=lambda sentence: print(sentence, flush=True),
    last_command=last_command or None,
).run()
print("Returned.", flush=True)
