"""Questions that pipelines ask people: which wait, and answering one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.prompts.answers import InvalidAnswer
from enrichment_assets.domain.review_answers import answer_reader, typed_answer
from enrichment_assets.domain.reviews import Review
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.review.listing import batch_named, parsed
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Row
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.inbox.callbacks import put_answer
from enrichment_assets.store.review.drafts import batches_to_review
from enrichment_assets.store.review.questions import OpenQuestion, open_questions


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked about a lead.

    Attributes:
        batch: The batch's key.
        client: The client's slug.
        item_id: The lead's item.
        workflow: The step that asks.
        question: What is asked.
        shows: The fields of the lead that are shown.
        answer: JSON Schema of the answer.
        asked_at: Since when.
        answered: Somebody has answered, and it is not taken in yet.
    """

    batch: str
    client: str
    item_id: int
    workflow: str
    question: str
    shows: Mapping[str, Any]
    answer: Mapping[str, Any]
    asked_at: datetime
    answered: bool

    @property
    def name(self) -> str:
        """What commands call it: `17/review-lead`."""
        return f"{self.item_id}/{self.workflow}"


def list_questions(
    hq: Hq, *, batch: str | None = None, client: str | None = None, limit: int | None = None
) -> list[Question]:
    """What waits for a person, the newest batch first, in each the oldest question first.

    Raises:
        NotFoundError: There is no such client or batch.
    """
    found: list[Question] = []
    with hq.transaction() as connection:
        if client is not None:
            client_row(connection, client)
        if batch is not None and get_batch(connection, batch) is None:
            raise no_such_batch(connection, batch)
        rows = batches_to_review(connection, client, batch)
    for row in rows:
        steps = _asking(Blueprint.model_validate(row["blueprint"]))
        if not steps:
            continue
        with hq.transaction() as connection:
            waiting = open_questions(connection, row["id"], list(steps))
        room = None if limit is None else limit - len(found)
        found += _questions(hq, row, steps, waiting[:room])
        if limit is not None and len(found) >= limit:
            break
    return found


def answer(hq: Hq, name: str, texts: Mapping[str, str], *, actor: Actor) -> Question:
    """Answer a question: what was typed goes into the inbox as any callback does, and is taken in with the next look.

    Raises:
        NotFoundError: Nothing is asked by that name.
        ConfigurationError: The answer does not fit the question's schema, or somebody has answered before.
    """
    item_id, workflow = parsed(name)
    with hq.transaction() as connection:
        row = batch_named(connection, item_id)
        steps = {
            slug: step
            for slug, step in _asking(Blueprint.model_validate(row["blueprint"])).items()
            if workflow in (None, slug)
        }
        waiting = open_questions(connection, row["id"], list(steps), [item_id])
        if not waiting:
            raise NotFoundError(f"nobody is asked about item {item_id}", code="review.no_question")
        if len(waiting) > 1:
            names = ", ".join(f"{item_id}/{one.workflow}" for one in waiting)
            raise ConfigurationError(f"item {item_id} has several questions: {names}", code="review.several_questions")
        one = waiting[0]
        body = _answer_body(steps[one.workflow].workflow.slug, _review(steps[one.workflow]), texts)
        headers = json_bytes({"content-type": "application/json", "x-answered-by": str(actor)}).decode()
        inbox_id = None if one.answered else put_answer(connection, one.call_id, headers, body)
        if inbox_id is None:
            raise ConfigurationError(
                f"{item_id}/{one.workflow} has an answer already, which is taken in with the next look",
                code="review.answered",
            )
        ids = {"client_id": row["client_id"], "batch_id": row["id"]}
        note_action(
            connection, actor, Code.REVIEW_ANSWER, f"{item_id}/{one.workflow}", **ids, after={"inbox_id": inbox_id}
        )
    return _questions(hq, row, steps, [one])[0]


def _answer_body(slug: str, review: Review, texts: Mapping[str, str]) -> bytes:
    body = json_bytes(typed_answer(review, texts))
    try:
        answer_reader(slug, review).read(body.decode())
    except InvalidAnswer as error:
        raise ConfigurationError(str(error), code="review.answer_invalid") from None
    return body


def _asking(blueprint: Blueprint) -> dict[str, BlueprintStep]:
    return {step.slug: step for step in blueprint.steps if step.workflow.review is not None}


def _review(step: BlueprintStep) -> Review:
    assert step.workflow.review is not None  # noqa: S101 - `_asking` takes no others
    return step.workflow.review


def _questions(hq: Hq, row: Row, steps: Mapping[str, BlueprintStep], waiting: list[OpenQuestion]) -> list[Question]:
    items = load(hq, [one.item_id for one in waiting], Blueprint.model_validate(row["blueprint"])) if waiting else []
    questions = []
    for one, item in zip(waiting, items, strict=True):
        step, review = steps[one.workflow], _review(steps[one.workflow])
        seen = item.fields_at(step.position)
        questions.append(
            Question(
                row["batch_key"],
                row["client"],
                one.item_id,
                one.workflow,
                review.question,
                {name: seen.get(name) for name in review.shows},
                review.answer,
                one.asked_at,
                one.answered,
            )
        )
    return questions
