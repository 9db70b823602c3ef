"""What a running `enrich up` tells the other commands of its home: where its receiver and its simulator are.

Without it, `enrich launch` in a second terminal would plan real calls while the daemon makes simulated ones. A variable
that is set in the environment always wins.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from enrichment_assets.settings import Settings

SHARED = ("ENRICH_RECEIVER_URL", "ENRICH_SANDBOX_URL")
"""Variables that a command takes over from the stack."""


STARTED_BY = "ENRICH_STARTED_BY"
"""Set for all processes of `enrich up`, so that they can say who they are."""


def is_of_the_stack(environment: Mapping[str, str] | None = None) -> bool:
    """Whether this process is one of those that `enrich up` started."""
    env = os.environ if environment is None else environment
    return env.get(STARTED_BY) == "enrich up"


@contextmanager
def addresses_told(settings: Settings, environment: Mapping[str, str]) -> Iterator[None]:
    """While the block runs, `running_addresses` of this home gives the shared variables of `environment`."""
    path = settings.home / "up.json"
    path.write_text(json.dumps({name: environment.get(name, "") for name in SHARED}), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_addresses(settings: Settings) -> dict[str, str]:
    """The shared variables of the stack that runs for this home; empty when none does (a crash leaves no trace)."""
    try:
        with (settings.home / "up.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # somebody holds it: the stack is up
    except OSError:
        return {}
    else:
        return {}
    try:
        told = json.loads((settings.home / "up.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: str(told.get(name, "")) for name in SHARED if isinstance(told, dict)}


def adopt_running_addresses() -> None:
    """Set the shared variables that the environment leaves open to what the running stack of its home uses."""
    for name, value in running_addresses(Settings.from_environment()).items():
        os.environ.setdefault(name, value)
