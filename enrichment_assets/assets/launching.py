"""Launching a batch and having the running platform begin at once: what a command and a page do alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from enrichment_assets.assets.instance import InstancePartitions, start_run
from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.priorities import Priority
from enrichment_assets.installation.running_stack import RunningStack, running_stack
from enrichment_assets.services.batches.launching import Launched, launch
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.groups import GRACE


def launch_and_start(
    hq: Hq,
    settings: Settings,
    upload: int | str,
    pipeline: str,
    *,
    actor: Actor,
    client: str | None = None,
    batch: str | None = None,
    fresh: bool = False,
    limit: int | None = None,
    priority: Priority | None = None,
    target: int | None = None,
    known: Known | None = None,
    budget: Decimal | str | None = None,
    by_phase: bool = False,
    environment: Mapping[str, str] | None = None,
) -> tuple[Launched, RunningStack | None]:
    """Launch, and have the running `enrich up`, if there is one, begin at once; the stack, or None.

    Arguments as of `services.batches.launching.launch`, and raises as that.
    """
    stack = running_stack(settings)
    launched = launch(
        hq,
        settings,
        upload,
        pipeline,
        add_partition=InstancePartitions(settings).add,
        client=client,
        batch_key=batch,
        fresh=fresh,
        limit=limit,
        priority=priority,
        actor=actor,
        starts_in=timedelta(0) if stack is None else GRACE,
        target=target,
        known=known,
        budget=budget,
        by_phase=by_phase,
        environment=environment,
    )
    if stack is not None and launched.created:
        start_run(hq, settings, stack.webserver, launched.batch_key)
    return launched, stack
