"""The key under which a call stands in the ledger: the same for every attempt, another for every other question."""

from __future__ import annotations

import hashlib


def key_of_call(batch_key: str, workflow: str, version: str, subject_key: str) -> str:
    """Stable key (40 hex digits) of a logical call.

    Args:
        batch_key: The batch.
        workflow: The workflow's slug.
        version: Of the workflow's effective configuration.
        subject_key: Whom the call is about (`provider_calls.subject_key`).
    """
    material = "\x1f".join([batch_key, workflow, version, subject_key])  # guard: call-is-its-batchs-alone
    return hashlib.sha256(material.encode()).hexdigest()[:40]
