"""The sandbox of a test session: one process, which knows nothing when a test begins."""

from __future__ import annotations

from enrichment_assets.sandbox import SandboxProcess, SandboxSettings

SEED = 7
"""Of what the sandbox makes up."""


def as_new(process: SandboxProcess) -> SandboxProcess:
    """Make it forget its callers and its bill, and make no faults."""
    settings = SandboxSettings(seed=SEED).model_dump(mode="json")
    kept = process.configure(**settings)
    for kind in ("providers", "scenarios"):
        if kept[kind]:
            process.configure(**{kind: dict.fromkeys(kept[kind])})  # null removes one
    process.reset()
    return process
