"""The engine beside Dagster: it works in a thread of its own while the asset reports what has settled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

import dagster as dg

from enrichment_assets.assets.progress import ProgressLog
from enrichment_assets.engine.run.advance import Interrupted, RunReport
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

STOPPED_CHECK_SECONDS = 3.0
"""How often it is asked whether the run was stopped."""


class EngineWorker:
    """The engine in a thread of its own, so that the asset can report steps while it works.

    Leaving the block early (the run was terminated) lets calls under way finish before it returns. The thread says
    itself that it is done: on Python 3.9 to 3.12 a `join` that a signal handler's exception interrupts makes
    `is_alive()` false for ever, and calls that were paid for would be lost with the process.

    `on_terminated` is called where the run was stopped, by whomever; it finds out by whom, and may be called twice.
    `only`: the items that somebody chose; None: all.
    """

    def __init__(
        self,
        hq: Hq,
        settings: Settings,
        batch_key: str,
        platform: PlatformResource,
        selection: set[str],
        progress: ProgressLog,
        was_stopped: Callable[[], bool],
        on_terminated: Callable[[], None],
        only: frozenset[int] | None = None,
    ) -> None:
        self._only = only
        self._progress = progress
        self._was_stopped = was_stopped
        self._on_terminated = on_terminated
        self._stop = threading.Event()
        self._done = threading.Event()
        self._report: RunReport | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._work, args=(hq, settings, batch_key, platform, selection), name=f"engine {batch_key}"
        )

    def _work(
        self, hq: Hq, settings: Settings, batch_key: str, platform: PlatformResource, selection: set[str]
    ) -> None:
        try:
            self._report = advance_batch(
                hq,
                settings,
                batch_key,
                platform.providers(),
                selection,
                self._progress.listen,
                self._stop,
                only=self._only,
            )
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()

    def _watch(self) -> None:
        """Stop the engine when the run was stopped while Dagster, not this asset, was at work.

        An interruption that meets Dagster between two results leaves the asset's generator where it is: its `with`
        block is not left, and the engine would go on calling until the batch is done.
        """
        while not self._done.wait(STOPPED_CHECK_SECONDS):
            if self._was_stopped():
                self._stop.set()
                self._on_terminated()
                return

    def __enter__(self) -> Self:
        self._thread.start()
        threading.Thread(target=self._watch, name=f"watch {self._thread.name}", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        is_early = not self._done.is_set()
        self._stop.set()
        self._done.wait()
        if is_early:
            self._on_terminated()

    def wait(self, seconds: float) -> bool:
        """True when the engine is done."""
        return self._done.wait(seconds)

    def result(self) -> RunReport:
        """The engine's report; raises what it raised (an interruption is not retried)."""
        if isinstance(self._error, Interrupted):
            raise dg.Failure(str(self._error), allow_retries=False) from self._error
        if self._error is not None:
            raise self._error
        if self._report is None:
            raise dg.Failure("the engine ended without a report", allow_retries=False)
        return self._report
