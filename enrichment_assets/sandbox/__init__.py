"""The provider simulator: a local server that speaks every provider's HTTP contract, faults included.

It holds believable people and companies, makes each mistake that real providers make, and counts what it billed, so
that a double charge shows. It knows nothing of the platform: it stands where the providers stand.

    async with running_sandbox(SandboxSettings(seed=7)) as sandbox:   # in this event loop
        ...
    with SandboxProcess(miss=0.1) as sandbox:                         # in a process of its own
        sandbox.url, sandbox.billing(), sandbox.configure(errors=0.02)
    serve(SandboxSettings(), "127.0.0.1", 8720)                       # blocking
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enrichment_assets.sandbox.process import SandboxProcess
    from enrichment_assets.sandbox.running import Running, running_sandbox, serve
    from enrichment_assets.sandbox.settings import SandboxSettings

__all__ = ["Running", "SandboxProcess", "SandboxSettings", "running_sandbox", "serve"]

_HOMES = {
    "Running": "running",
    "SandboxProcess": "process",
    "SandboxSettings": "settings",
    "running_sandbox": "running",
    "serve": "running",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `enrich --help` does not load a web server."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
