"""What a running `enrich up` tells the other commands of its home: where its receiver and its simulator are.

Without it, `enrich launch` in a second terminal would plan real calls while the daemon makes simulated ones. A variable
that is set in the environment always wins.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from enrichment_assets.settings import Settings

SHARED = ("ENRICH_RECEIVER_URL", "ENRICH_SANDBOX_URL")
"""Variables that a command takes over from the stack."""

VARIABLES = "variables"
"""Where the names of the stack's keys stand in `up.json` (`installation.told_addresses` writes it)."""

WEBSERVER = "webserver"
"""Where the address of Dagster's web server stands in `up.json`."""

STARTED_BY = "ENRICH_STARTED_BY"
"""Set for all processes of `enrich up`, so that they can say who they are."""


def is_of_the_stack(environment: Mapping[str, str] | None = None) -> bool:
    """Whether this process is one of those that `enrich up` started."""
    env = os.environ if environment is None else environment
    return env.get(STARTED_BY) == "enrich up"


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The stack that runs for a home: its shared variables, the names of the keys that it has, and its web server.

    `webserver`: Dagster's, as a base URL; empty where nobody said.
    """

    addresses: Mapping[str, str]
    variables: frozenset[str]
    webserver: str = ""


def running_addresses(settings: Settings) -> dict[str, str]:
    """The shared variables of the stack that runs for this home; empty when none does."""
    stack = running_stack(settings)
    return {} if stack is None else dict(stack.addresses)


# opens files of ours: the home's
def running_stack(settings: Settings) -> RunningStack | None:
    """The stack that runs for this home; None when none does (a crash leaves no trace)."""
    try:
        with (settings.home / "up.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # somebody holds it: the stack is up
    except OSError:
        return None
    else:
        return None
    try:
        told = json.loads((settings.home / "up.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(told, dict):
        return None
    names = told.get(VARIABLES)
    known = frozenset(map(str, names)) if isinstance(names, list) else frozenset()
    return RunningStack({name: str(told.get(name, "")) for name in SHARED}, known, str(told.get(WEBSERVER, "")))


def adopt_running_addresses() -> None:
    """Set the shared variables that the environment leaves open to what the running stack of its home uses."""
    for name, value in running_addresses(Settings.from_environment()).items():
        os.environ.setdefault(name, value)
