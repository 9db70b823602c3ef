"""Which sensors would find nothing: asked once for all of them, before Dagster evaluates any.

A tick costs some forty milliseconds of CPU time in four processes, whatever it finds: rows of Dagster's, two exchanges
with the code server, connections. Nearly every tick of an idle installation finds nothing. `daemon.py` therefore asks
here, and lets a sensor rest that has nothing to do, for `LONGEST_REST_SECONDS` at most. Nothing depends on the answer
but when a sensor looks: each asks again for itself. Where it cannot be told, none is quiet.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.services.uploads.inbox_listing import anything_lies_in
from enrichment_assets.settings import Settings
from enrichment_assets.store.catalog.drafts import open_drafts
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.batches import due_deliveries
from enrichment_assets.store.deliveries.sources import work
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from enrichment_assets.store.outgoing.messages import look
from enrichment_assets.store.sources.table_sources import due_sources
from enrichment_assets.store.states.waiting_batches import batches_to_resume

log = logging.getLogger("enrichment_assets.daemon")

LONGEST_REST_SECONDS = 60.0
"""A sensor that has nothing to do is evaluated this often all the same."""

ANSWER_HOLDS_SECONDS = 2.0
"""For the sensors of one turn of the daemon; it turns every five seconds."""

HAS_WORK: Mapping[str, Callable[[Connection], bool]] = {
    "callback_sensor": lambda connection: bool(new_callbacks_by_batch(connection)),
    "sequencer_sensor": lambda connection: bool(batches_to_resume(connection)),
    "delivery_sensor": lambda connection: bool(due_deliveries(connection, most=1)),
    "event_sensor": lambda connection: any(work(connection)),
    "webhook_sensor": lambda connection: (found := look(connection)).is_new or found.is_due,
    "draft_sensor": lambda connection: bool(open_drafts(connection)),
    "source_sensor": lambda connection: due_sources(connection, ()).any,
}
"""What each sensor asks first, by its name. A source's table may have told the sensor's process and nobody else, so
that one is never quiet where there is a source."""

UPLOADS = "upload_sensor"
"""Its work lies in a folder."""


class Quiet:
    """The sensors without work, asked at most every `ANSWER_HOLDS_SECONDS`; for all threads of the daemon.

    Args:
        hq: Held open between the questions.
        settings: Where the inbox is.
    """

    def __init__(self, hq: Hq, settings: Settings) -> None:
        self._hq = hq
        self._settings = settings
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._quiet: frozenset[str] = frozenset()

    def is_quiet(self, sensor: str) -> bool:
        """Whether this sensor would find nothing to do. Never raises for a database that is away: False."""
        with self._lock:
            if time.monotonic() - self._asked >= ANSWER_HOLDS_SECONDS:
                self._quiet = self._ask()
                self._asked = time.monotonic()
            return sensor in self._quiet

    def _ask(self) -> frozenset[str]:
        try:
            with self._hq.transaction() as connection:
                quiet = {name for name, has_work in HAS_WORK.items() if not has_work(connection)}
        except EnrichError as error:
            log.warning("sensors are evaluated without a look at what there is to do: %s", error)
            return frozenset()
        if not anything_lies_in(self._settings.inbox_dir):
            quiet.add(UPLOADS)
        return frozenset(quiet)
