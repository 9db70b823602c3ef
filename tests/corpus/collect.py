"""`python -m tests.corpus.collect`: adds what this version's sandbox answers to the corpus, and changes no line of it.

Every shipped workflow is asked: what it finds and misses; of each provider also errors and spoiled answers, of models
what goes wrong with them; callbacks and polls of asynchronous ones; and what several rows share, from batches that are
run. A kind of a workflow that the corpus has is not added again, unless its workflow is another by now.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.bulk_requests import BulkRenderer
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.renderers import renderer_of
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.store.states.replaying import StoredAnswer, stored_answers
from tests.chaos.crash_harness import crash_harness, receiving
from tests.chaos.scenarios import launch_bulk, launch_order
from tests.corpus.kept import ANSWERS, STEPS, Kept, answers, name_of, read, step_of, steps
from tests.providers.test_builtin_workflows import CONTEXT, OWN_CONTEXT, sandboxed
from tests.providers.test_builtin_workflows import receiving as calling_back

ALWAYS: dict[str, dict[str, Any]] = {"found": {}, "miss": {"miss": 1}, "rare shape": {"rare_shapes": 1}}
OF_A_PROVIDER: dict[str, dict[str, Any]] = {
    "error": {"errors": 1},
    "rate limited": {"rate_limited": 1},
    "key refused": {"rejected_keys": ["sandbox"]},
    "quota gone": {"quota": "0"},
    "garbage": {"garbage": 1},
    "wrong types": {"wrong_types": 1},
}
OF_A_MODEL: dict[str, dict[str, Any]] = {
    name.replace("_", " "): {name: 1}
    for name in (
        "refusals",
        "cut_answers",
        "failures_in_200",
        "invalid_answers",
        "broken_json",
        "prose",
        "wrapped_json",
    )
}
OF_HUNTER: dict[str, dict[str, Any]] = {
    name.replace("_", " "): {name: 1} for name in ("later", "blocked", "remote_failures")
}
Line = tuple[dict[str, Any], str, Kept]
"""Blueprint, kind, answer."""


def blueprint_of(workflow: WorkflowDefinition) -> dict[str, Any]:
    """As a batch of this step alone keeps it."""
    step = BlueprintStep(position=0, workflow=workflow, registry_version=workflow.version())
    made = Blueprint(client="acme", pipeline="alone", company_identity=["company_domain"], steps=[step])
    written: dict[str, Any] = json.loads(made.model_dump_json(by_alias=True))
    return written


def workflows() -> list[WorkflowDefinition]:
    """All that are shipped and call somebody, and one asked of the model that none of them asks."""
    shipped = [one for one in builtin_workflows().values() if one.mode is not Mode.LOCAL and one.review is None]
    asked = json.loads(builtin_workflows()["qualify-lead"].model_dump_json(by_alias=True))
    asked |= {"slug": "qualify-by-anthropic", "provider": "anthropic", "secrets": {"api_key": "ANTHROPIC_API_KEY"}}
    asked["prompt"] |= {"model": "claude-sonnet-5"}
    return [*shipped, WorkflowDefinition.model_validate(asked)]


async def asked() -> AsyncIterator[Line]:
    """What single requests bring, in the kinds that fit the workflow."""
    seen: set[str] = set()
    for workflow in workflows():
        kinds = dict(ALWAYS)
        if workflow.provider not in seen:
            kinds |= OF_A_PROVIDER | (OF_HUNTER if workflow.provider == "hunter" else {})
            kinds |= OF_A_MODEL if workflow.prompt is not None else {}
        seen.add(workflow.provider)
        for kind, behaviour in kinds.items():
            async for name, kept in _exchanged(workflow, behaviour):
                yield blueprint_of(workflow), f"{kind}{name}", kept


async def _exchanged(workflow: WorkflowDefinition, behaviour: dict[str, Any]) -> AsyncIterator[tuple[str, Kept]]:
    """An answer, and what is called back and polled where it was accepted only."""
    async with sandboxed(callback_delay="20ms", **behaviour) as exchange, calling_back() as (url, arrived):
        more = {"callback_url": url} if workflow.mode is Mode.ASYNC else {}
        answer, verdict = await exchange.ask(workflow, **more)
        place = _place(workflow)
        yield "", _of_answer(answer, place if workflow.mode is not Mode.ASYNC else None)
        if workflow.mode is not Mode.ASYNC or verdict.error is not None:
            return
        try:
            body = await asyncio.wait_for(arrived.get(), 5)
        except TimeoutError:
            return
        yield " called back", Kept(200, {}, answer.body, callback=body, callback_type="application/json", place=place)
        identity = ResponseReader(workflow).read(answer).external_id
        if workflow.poll is not None and workflow.prompt is None and identity is not None:
            polled, _ = await exchange.ask(workflow, RequestRenderer.for_poll(workflow), external_id=identity)
            yield " polled", _of_answer(polled, place, external_id=identity)


def _place(workflow: WorkflowDefinition) -> Place | None:
    """Whose part it is of what several share: of the one that was asked about."""
    if workflow.bulk is None:
        return None
    renderer = renderer_of(workflow, PROVIDERS[workflow.provider])
    assert isinstance(renderer, BulkRenderer)
    name = renderer.member(CONTEXT | {"parameters": workflow.parameters} | OWN_CONTEXT.get(workflow.slug, {})).name
    return Place(0, 1, None if name is None else (name,))


def _of_answer(answer: Answer, place: Place | None, external_id: str | None = None) -> Kept:
    return Kept(answer.status, dict(answer.headers), answer.body, external_id, place, answer.inputs)


def shared() -> Iterator[Line]:
    """What batches brought whose rows share a request, a callback or an order: lines as the ledger keeps them."""
    with crash_harness() as harness, receiving(harness):
        launched = {
            "bulk": launch_bulk(harness, "bulk", 4),
            "bulk called back": launch_bulk(harness, "later", 4, later=True),
            "line of an order": launch_order(harness, "order", 4),
        }
        for kind, batch in launched.items():
            harness.finish(batch)
            with harness.launcher() as launcher:
                (row,) = harness.rows("select id, blueprint from batches where batch_key = %s", batch)
                blueprint = row["blueprint"]
                slug = blueprint["steps"][0]["workflow"]["slug"]
                stored = [one for chunk in stored_answers(launcher.hq, row["id"], slug) for one in chunk]
            yield blueprint, kind, _of_stored(stored[0])
            yield blueprint, f"{kind}, the last", _of_stored(stored[-1])


def _of_stored(stored: StoredAnswer) -> Kept:
    return Kept(**{name: getattr(stored, name) for name in Kept.__dataclass_fields__})


async def main() -> int:
    """The exit code."""
    known_steps = set(steps()) if STEPS.exists() else set()
    known = {(line["step"], line["kind"]) for line in answers()} if ANSWERS.exists() else set()
    added = 0
    lines = [line async for line in asked()] + await asyncio.to_thread(lambda: list(shared()))
    with STEPS.open("a", encoding="utf-8") as of_steps, ANSWERS.open("a", encoding="utf-8") as of_answers:
        for blueprint, kind, kept in lines:
            name = name_of(blueprint)
            if name not in known_steps:
                of_steps.write(json.dumps({"step": name, "blueprint": blueprint}) + "\n")
                known_steps.add(name)
            if (name, kind) in known:
                continue
            known.add((name, kind))
            written = {"step": name, "kind": kind, "kept": kept.as_json(), "read": read(step_of(blueprint), kept)}
            of_answers.write(json.dumps({"answer": name_of(written), **written}) + "\n")
            added += 1
    print(f"{added} answers added to {Path(ANSWERS).name}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
