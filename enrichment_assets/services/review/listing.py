"""What waits for a person: the drafts of batches, each with where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from enrichment_assets.domain.drafts import Standing, changed, standing_of
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.review.reading import Draft, ReviewedBatch, read_drafts, reviewed
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection, Row
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review import approvals
from enrichment_assets.store.review.approvals import Approval
from enrichment_assets.store.review.drafts import batch_of_item, batches_to_review

_DIGITS = 19
"""Of the number of an item at most."""

GRADE = "lead_grade"
"""The field that `--grade` asks for."""

ABOUT = ("full_name", "first_name", "last_name", "company_name", GRADE)
"""What a list says of a lead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which drafts; what is None or empty asks for none.

    `where`: field of the lead -> its value as text, whatever its case.
    """

    batch: str | None = None
    client: str | None = None
    workflow: str | None = None
    grade: str | None = None
    state: Standing | None = None
    where: Mapping[str, str] = field(default_factory=dict)

    def takes(self, lead: Mapping[str, Any]) -> bool:
        """Whether a lead is one of those."""
        asked = {**self.where, **({} if self.grade is None else {GRADE: self.grade})}
        return all(str(lead.get(name, "")).casefold() == value.casefold() for name, value in asked.items())


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A draft and where it stands.

    Attributes:
        batch: The batch's key.
        client: The client's slug.
        draft: What it says.
        standing: Where it stands.
        changed: Of an outdated one: what is another one since it was approved (`draft`, `facts`, `template`).
        approval: What was said of it last; None: nothing.
    """

    batch: str
    client: str
    draft: Draft
    standing: Standing
    changed: tuple[str, ...]
    approval: Approval | None

    @property
    def name(self) -> str:
        """What commands call it: `17/personalise-email`."""
        return f"{self.draft.item_id}/{self.draft.workflow}"

    @property
    def person(self) -> str | None:
        """The lead's name; None: it has none."""
        lead = self.draft.lead
        parts = [str(lead[name]) for name in ("first_name", "last_name") if lead.get(name)]
        return str(lead["full_name"]) if lead.get("full_name") else " ".join(parts) or None

    @property
    def grade(self) -> str | None:
        """The lead's grade; None: it has none."""
        return None if self.draft.lead.get(GRADE) is None else str(self.draft.lead[GRADE])

    @property
    def decided_at(self) -> datetime | None:
        """When something was said of it last."""
        return None if self.approval is None else self.approval.at


def draft_page(hq: Hq, wanted: Wanted, after: str | None, limit: int) -> list[Reviewed]:
    """Drafts of a batch by item and step, or of all that are not archived, the newest batch first.

    `after`: behind the one of this name, as `17/personalise-email`.

    Raises:
        NotFoundError: There is no such client or batch, or no such item to go on behind.
    """
    item, _, workflow = (after or "0/").partition("/")
    first = int(item) if item.isascii() and item.isdecimal() and len(item) < _DIGITS else 0
    return list(islice(_drafts(hq, wanted, (first, workflow) if first else None), limit))


def _behind(found: Iterator[Reviewed], item: int, workflow: str) -> Iterator[Reviewed]:
    is_behind = False
    for one in found:
        if one.draft.item_id > item or is_behind:
            yield one
        elif one.draft.workflow == workflow:
            is_behind = True


def list_drafts(hq: Hq, wanted: Wanted, limit: int | None = None) -> list[Reviewed]:
    """The drafts of one batch, or of all that are not archived, the newest batch first.

    Raises:
        NotFoundError: There is no such client or batch.
    """
    return list(islice(_drafts(hq, wanted), limit))


def _drafts(hq: Hq, wanted: Wanted, after: tuple[int, str] | None = None) -> Iterator[Reviewed]:
    """What is wanted; `after`: behind the draft of this item and workflow, and not of a newer batch than that is of."""
    with hq.transaction() as connection:
        if wanted.client is not None:
            client_row(connection, wanted.client)
        if wanted.batch is not None and get_batch(connection, wanted.batch) is None:
            raise no_such_batch(connection, wanted.batch)
        rows = batches_to_review(connection, wanted.client, wanted.batch)
        begun = (
            None
            if after is None or wanted.batch is not None
            else batch_named(connection, after[0], client=wanted.client)["id"]
        )
    for row in rows:
        if begun is not None and row["id"] > begun:
            continue
        with hq.transaction() as connection:
            batch = reviewed(connection, row)
        if after is not None and begun in (None, row["id"]):
            found = _behind(of_batch(hq, batch, wanted, after[0]), *after)
        else:
            found = of_batch(hq, batch, wanted)
        yield from (one for one in found if wanted.state in (None, one.standing))


def of_batch(hq: Hq, batch: ReviewedBatch, wanted: Wanted, first: int = 0) -> Iterator[Reviewed]:
    """The drafts of a batch of that workflow and those leads, from the item `first` on, wherever they stand.

    Of each lead only what a list says of it: there may be a hundred thousand.
    """
    with hq.transaction() as connection:
        known = approvals.latest(connection, batch.row["id"])
    workflows = None if wanted.workflow is None else [wanted.workflow]
    for draft in read_drafts(hq, batch, workflows, first=first):
        if wanted.takes(draft.lead):
            about = {name: draft.lead[name] for name in ABOUT if name in draft.lead}
            yield judged(batch, replace(draft, lead=about, facts={}), known.get((draft.item_id, draft.workflow)))


def judged(batch: ReviewedBatch, draft: Draft, approval: Approval | None) -> Reviewed:
    """Where a draft stands after what was said of it last."""
    standing = standing_of(draft.of, None if approval is None else approval.decided)
    is_outdated = standing is Standing.OUTDATED and approval is not None
    why = changed(draft.of, approval.decided) if is_outdated and approval is not None else ()
    return Reviewed(batch.row["batch_key"], batch.row["client"], draft, standing, why, approval)


@dataclass(frozen=True, slots=True)
class Found:
    """A draft that was named, the batch that it is of, and all that was said of it, the latest first."""

    batch: ReviewedBatch
    reviewed: Reviewed
    history: list[Approval]


def find_draft(hq: Hq, name: str, *, batch: str | None = None, client: str | None = None) -> Found:
    """The draft of a name: `17/personalise-email`, or `17` where item 17 has one.

    Args:
        hq: The databases.
        name: Of the draft.
        batch: An item of another batch is not there.
        client: Nor one of another client.

    Raises:
        NotFoundError: There is no such item, or it has no such draft.
        ConfigurationError: The name is none, or names several.
    """
    item_id, workflow = parsed(name)
    with hq.transaction() as connection:
        row = batch_named(connection, item_id, batch=batch, client=client)
        of = reviewed(connection, row)
    found = list(read_drafts(hq, of, None if workflow is None else [workflow], [item_id]))
    if not found:
        what = "no draft" if workflow is None else f"no draft of {workflow}"
        raise NotFoundError(f"item {item_id} of batch {row['batch_key']} has {what}", code="review.no_draft")
    if len(found) > 1:
        names = ", ".join(f"{item_id}/{draft.workflow}" for draft in found)
        raise ConfigurationError(f"item {item_id} has several drafts: {names}", code="review.several_drafts")
    draft = found[0]
    with hq.transaction() as connection:
        history = approvals.history(connection, row["id"], item_id, draft.workflow)
    return Found(of, judged(of, draft, history[0] if history else None), history)


def batch_named(connection: Connection, item_id: int, *, batch: str | None = None, client: str | None = None) -> Row:
    """The batch of an item that somebody named; one of another batch or client is not there. Raises `NotFoundError`."""
    row = batch_of_item(connection, item_id)
    if row is None or batch not in (None, row["batch_key"]) or client not in (None, row["client"]):
        raise NotFoundError(f"there is no item {item_id}", code="review.item_not_found")
    return row


def parsed(name: str) -> tuple[int, str | None]:
    """Item and workflow of a name. Raises `ConfigurationError`."""
    number, slash, workflow = name.strip().partition("/")
    if not number.isascii() or not number.isdecimal() or len(number) > 18 or (slash and not workflow):
        raise ConfigurationError(
            f"{name[:80]!r} names no draft: it is an item's number and a workflow, as 17/personalise-email",
            code="review.name_invalid",
        )
    return int(number), workflow or None
