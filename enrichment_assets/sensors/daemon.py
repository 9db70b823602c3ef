"""Dagster's daemon as `enrich up` runs it: the same daemons and options, at less cost while nothing happens (ADR 0066).

    python -m enrichment_assets.sensors.daemon run --workspace workspace.yaml

Three things of Dagster's have no setting: how often it reads the whole code location again (every minute, though it is
told when one changes), how often it asks the code server who it is (every second), and that a sensor is evaluated
whether there is anything for it or not. They are names private to Dagster; the pinned set of versions carries them
(docs/dependencies.md), and `tests/assets/test_quiet_sensors.py` sees that they are still what is used.
`dagster-daemon` does the same work, only dearer.
"""

from __future__ import annotations

from collections.abc import Callable

from enrichment_assets.lean_start import start_lean

RELOAD_SECONDS = 3_600
"""How often the code location is read again though nobody has said that it changed."""


def change_dagster(is_quiet: Callable[[str], bool], longest_rest: float) -> None:
    """Put our intervals in the place of Dagster's, and let sensors rest that have nothing to do.

    Args:
        is_quiet: Whether the sensor of this name would find nothing.
        longest_rest: Seconds after which it is evaluated all the same.
    """
    from dagster._core.remote_representation.external import RemoteSensor
    from dagster._core.scheduler.instigation import InstigatorState
    from dagster._daemon import controller, sensor

    from enrichment_assets.resources.code_server_watch import watch_seldom

    under_interval = sensor.is_under_min_interval

    def rests(
        state: InstigatorState, remote_sensor: RemoteSensor, minimum_allowed_min_interval: int | None = None
    ) -> bool:
        if under_interval(state, remote_sensor, minimum_allowed_min_interval):
            return True
        elapsed = sensor.get_elapsed(state)
        return elapsed is not None and elapsed < longest_rest and is_quiet(remote_sensor.name)

    controller.RELOAD_WORKSPACE_INTERVAL = RELOAD_SECONDS
    watch_seldom()
    sensor.is_under_min_interval = rests


def main() -> None:
    """Run Dagster's own command, whose arguments are ours."""
    start_lean()
    from dagster._daemon.cli import main as dagster_daemon

    from enrichment_assets.installation.databases import open_hq
    from enrichment_assets.sensors.quiet import LONGEST_REST_SECONDS, Quiet
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    with open_hq(settings, most=1, patience=5.0) as hq:
        change_dagster(Quiet(hq, settings).is_quiet, LONGEST_REST_SECONDS)
        dagster_daemon()


if __name__ == "__main__":
    main()
