"""Who types: the actor of every change that a command makes."""

from __future__ import annotations

import getpass
import os

from enrichment_assets.domain.actors import Actor, ActorKind, name_from


def actor() -> Actor:
    """`cli:<login>` of the account that this process runs as; where it has no name, `cli:uid-<number>`."""
    return Actor(ActorKind.CLI, name_from(_login()))


def _login() -> str:
    """The account's own name: what a variable says of it (`USER`, `LOGNAME`) is anybody's to set."""
    try:
        import pwd
    except ImportError:  # Windows has no such list
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
