"""The receiver's bounds: how big, how slow and how many a stranger may be. Each can be set by an environment variable.

What belongs here: numbers and where they come from. Who enforces one is said beside it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from enrichment_assets.domain.errors import ConfigurationError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """Bounds of one receiver process; `ENRICH_RECEIVER_<NAME>` in the environment overrides a field.

    Attributes:
        max_body_bytes: Largest callback (413 above it). n8n's own default payload limit is 16 MiB.
        max_buffered_bytes: Bodies held by all requests together (503 above it): in memory, of each what is over 1 MiB
            in an unnamed temporary file until it is whole.
        max_buffered_bytes_per_address: Of these, bodies from one address (429 above it).
        address_per_second: Requests of one address in the long run (429 above it, as with the next three).
        address_burst: Requests of one address at once.
        token_per_second: Requests to one call's address in the long run.
        token_burst: Requests to one call's address at once; more than `MOST_BODIES` are not kept of a call anyway.
        guesses_per_second: Requests of one address with tokens that name no call, in the long run. Above it a token is
            looked up before the body is read: a call's own callbacks pass, whoever guesses beside them.
        guesses_burst: Such requests at once.
        max_waiting: Callbacks read or waiting for their commit (503 above it).
        max_connections: Open connections (503 above it, from the server itself).
        head_seconds: Time for a request line and its headers (the connection is closed after it).
        body_seconds: Time for a whole body (408 after it).
        head_bytes: Size of a request line and its headers (431 above it).
        idle_seconds: How long a keep-alive connection may be silent.
        statement_seconds: Postgres' own bound on one group of callbacks (503 after it).
        flush_seconds: Our bound on one group, connecting included, for a network that went silent.
        shutdown_seconds: How long requests in flight may take to finish after SIGTERM.
        max_group: Callbacks of one commit.
        max_group_bytes: Body bytes of one commit (a single body may be larger).
        writers: Connections that commit groups; a second one only makes the groups smaller (bench/receiver.py).
    """

    max_body_bytes: int = 16 * MIB
    max_buffered_bytes: int = 256 * MIB
    max_buffered_bytes_per_address: int = 128 * MIB
    address_per_second: float = 1000.0
    address_burst: int = 10_000
    token_per_second: float = 20.0
    token_burst: int = 200
    guesses_per_second: float = 1.0
    guesses_burst: int = 100
    max_waiting: int = 4096
    max_connections: int = 4096
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    head_bytes: int = 64 * 1024
    idle_seconds: float = 75.0
    statement_seconds: float = 10.0
    flush_seconds: float = 15.0
    shutdown_seconds: float = 20.0
    max_group: int = 512
    max_group_bytes: int = 32 * MIB
    writers: int = 1

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ReceiverLimits:
        """Read overrides; raises `ConfigurationError` for a value that is no positive number."""
        env = os.environ if environment is None else environment
        values: dict[str, int | float] = {}
        for field in fields(cls):
            name = f"ENRICH_RECEIVER_{field.name.upper()}"
            if text := env.get(name, "").strip():
                values[field.name] = _positive(name, text, whole=isinstance(field.default, int))
        return cls(**values)  # type: ignore[arg-type]


def _positive(name: str, text: str, *, whole: bool) -> int | float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = -1
    if not 0 < value < math.inf:
        raise ConfigurationError(
            f"{name}={text!r} has to be a positive {'whole number' if whole else 'number'}",
            code="setting.number_invalid",
        )
    return value
