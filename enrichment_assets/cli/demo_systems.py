"""`enrich demo SYSTEM`: one of the shipped systems, from its sample to its tables, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.demo import activation, export
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from enrichment_assets.domain.system import SystemDefinition
    from enrichment_assets.services.systems.arriving import Arrived
    from enrichment_assets.settings import Settings
    from enrichment_assets.store.hq import Hq


def list_systems() -> None:
    """Print every system with what it is."""
    from enrichment_assets.registry.loader import systems

    for system in systems().values():
        say(f"{system.slug}: {system.title}. {system.description}")


def show_system(slug: str, *, given: Mapping[str, bool]) -> None:
    """Set up the system's client, let its work arrive, run it to the end, and show its tables.

    A demo that was broken off goes on where it was. Raises `NotFoundError` for a system that is not there, and
    `ConfigurationError` for an option (name -> whether it was given) that a system's demo does not have.
    """
    import time

    from enrichment_assets.cli.running import run_batch
    from enrichment_assets.installation.databases import open_databases
    from enrichment_assets.registry.loader import get_system
    from enrichment_assets.services.systems.arriving import ARRIVALS
    from enrichment_assets.services.systems.showing import prepare
    from enrichment_assets.settings import Settings

    started = time.monotonic()
    system = get_system(slug)
    for option in (name for name, is_given in given.items() if is_given):
        raise ConfigurationError(
            f"the demo of a system has its own sample and pipeline: leave out {option}", code="system.option_unknown"
        )
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    say(f"Home: {settings.home}\n{system.title}")
    open_databases(settings)
    with _outside(settings, system) as settings:
        export(settings)
        prepare(hq, settings, system, actor=actor())
        arrived = ARRIVALS[system.demo.kind](hq, settings, system, actor())
        say(arrived.said)
        batch_key = _launched(hq, settings, system, arrived)
        if batch_key is not None:
            run_batch(hq, settings, batch_key, workflows=None, wait=True)
    _show(hq, settings, system, batch_key, time.monotonic() - started)


@contextmanager
def _outside(settings: Settings, system: SystemDefinition) -> Iterator[Settings]:
    """The settings with a receiver and a sandbox: those that run for the home (`enrich up --sandbox`), or new ones."""
    from dataclasses import replace

    from enrichment_assets.receiver.process import ReceiverProcess
    from enrichment_assets.sandbox import SandboxProcess

    if settings.sandbox_url is not None:
        yield settings
        return
    with ReceiverProcess(settings) as receiver, SandboxProcess(callback_delay=1.0, miss=system.demo.misses) as sandbox:
        yield replace(settings, receiver_url=receiver.url, sandbox_url=sandbox.url)


def _launched(hq: Hq, settings: Settings, system: SystemDefinition, arrived: Arrived) -> str | None:
    """The batch of what arrived: launched now, or before; None: there is none."""
    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.services.batches.launching import launch
    from enrichment_assets.services.systems.showing import unfinished_batch

    pipeline = system.demo.pipeline
    if arrived.upload_id is None or pipeline is None:
        return arrived.batch_key
    launched = launch(
        hq,
        settings,
        arrived.upload_id,
        pipeline,
        client=system.demo.client,
        batch_key=unfinished_batch(hq, settings, arrived.upload_id, pipeline),
        add_partition=InstancePartitions(settings).add,
        actor=actor(),
        target=arrived.target,
    )
    said = "Launched" if launched.created else "Going on with"
    say(f"{said} batch {launched.batch_key}: {len(launched.steps)} steps over {launched.items} items")
    return launched.batch_key


def _show(hq: Hq, settings: Settings, system: SystemDefinition, batch_key: str | None, seconds: float) -> None:
    """The batch, the system's tables and reports, and commands to go on with."""
    from enrichment_assets.cli.batch import print_status
    from enrichment_assets.cli.report import print_report
    from enrichment_assets.services.batches.status import status
    from enrichment_assets.services.systems.showing import table_rows

    if batch_key is not None:
        print_status(status(hq, settings, batch_key))
    for name in system.reports:
        print_report(hq, settings, name, batch=batch_key)
    say("\nTables:")
    for name, rows in table_rows(hq, system):
        say(f"  {name}: {'not there' if rows is None else f'{rows:,} rows'}")
    said = [line.format(batch=batch_key, client=system.demo.client) for line in system.next]
    listed = "\n".join(f"  {line}" for line in said)
    say(f"\n{seconds:.0f} s in all. Its page: docs/{system.page}\n\nNext:\n{activation()}{listed}")
