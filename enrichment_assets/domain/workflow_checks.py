"""Everything that can be known to be wrong with a workflow before it is saved, all at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from enrichment_assets.domain.bulk import Match
from enrichment_assets.domain.bulk_answers import BulkReader
from enrichment_assets.domain.bulk_checks import bulk_faults
from enrichment_assets.domain.delivery_checks import delivery_expressions, delivery_steps, shape_faults
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.expression_trees import negates_half
from enrichment_assets.domain.expressions import Expression, condition
from enrichment_assets.domain.known_names import PLATFORM
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.model_errors import Lines, at_line, line_of
from enrichment_assets.domain.name_checks import Fault, name_faults
from enrichment_assets.domain.prompts.checks import prompt_faults
from enrichment_assets.domain.prompts.model_provider import ModelProvider
from enrichment_assets.domain.prompts.reading import PromptReader
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.reads import (
    Place,
    delivered_texts,
    member_texts,
    prompt_texts,
    requests_of,
    spelt,
    texts_of,
)
from enrichment_assets.domain.renderers import renderer_of
from enrichment_assets.domain.review_answers import ReviewReader
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.template_expressions import TemplateError, parse
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import LOCAL, Mode, WorkflowDefinition

_PLACED = re.compile(
    r"^((?:request|poll|response|callback|provides|emits|emails|phones|run_if|bulk|prompt|delivery)[\w.\[\]-]*): (.+)$",
    re.DOTALL,
)


def check_workflow(
    workflow: WorkflowDefinition,
    providers: Mapping[str, Provider],
    known: Collection[str] = PLATFORM,
    parameters: Collection[str] = (),
) -> None:
    """Refuse a workflow that cannot work. Arguments as in `workflow_faults`.

    Raises:
        ConfigurationError: Names the workflow and every place that is wrong.
    """
    if faults := workflow_faults(workflow, providers, known, parameters):
        raise ConfigurationError(said_of(workflow, faults), code="workflow.invalid")


def said_of(workflow: WorkflowDefinition, faults: Sequence[Fault], lines: Lines | None = None) -> str:
    """The faults as one sentence: `workflow my-step, request.body.x (line 12): ...; run_if (line 4): ...`."""
    texts = [
        f"{at_line(spelt(fault.place), line_of(fault.place, lines))}: {fault.message}" if fault.place else fault.message
        for fault in faults
    ]
    return f"workflow {workflow.slug}{', ' if faults[0].place else ': '}{'; '.join(texts)}"


def workflow_faults(
    workflow: WorkflowDefinition,
    providers: Mapping[str, Provider],
    known: Collection[str] = PLATFORM,
    parameters: Collection[str] = (),
) -> list[Fault]:
    """Compile whatever can be compiled, and look for names that nothing gives.

    Args:
        workflow: What is to be saved or run.
        providers: By name (`providers.PROVIDERS`).
        known: Fields that the platform or a registered workflow gives (`known_names.vocabulary`).
        parameters: Parameters that clients' configs set besides the workflow's own.
    """
    found = [*_provider_faults(workflow, providers), *_template_faults(workflow), *_expression_faults(workflow)]
    found += [*bulk_faults(workflow), *prompt_faults(workflow, providers), *shape_faults(workflow)]
    if not found:
        found += _whole_faults(workflow, providers)
    provider = providers.get(workflow.provider)
    return [*found, *name_faults(workflow, known, parameters, provider.purposes() if provider else ())]


def _provider_faults(workflow: WorkflowDefinition, providers: Collection[str]) -> Iterator[Fault]:
    names = [LOCAL, *providers]
    if workflow.provider not in names:
        message = f"there is no provider {workflow.provider!r}{did_you_mean(workflow.provider, names)}"
        yield Fault(("provider",), f"{message} (known: {', '.join(sorted(names))})")
    elif (workflow.provider == LOCAL) != (workflow.mode is Mode.LOCAL):
        yield Fault((), "mode `local` and provider `local` belong together")


def _template_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    for start, request in requests_of(workflow):
        for place, text in texts_of(request, start):
            try:
                parse(text, secrets_allowed=place[len(start)] == "headers")
            except (TemplateError, ValueError) as error:
                yield Fault(place, f"{text!r}: {error}")
    for place, text in (*member_texts(workflow), *prompt_texts(workflow), *delivered_texts(workflow)):
        try:
            parse(text)
        except (TemplateError, ValueError) as error:
            yield Fault(place, f"{text!r}: {error}")


def _expression_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    for place, text in _expressions(workflow):
        try:
            tree = Expression(text, "").tree
        except ConfigurationError as error:
            yield Fault(place, str(error).removeprefix(": "))
            continue
        if negates_half(tree):
            yield Fault(place, f"{text!r}: JMESPath reads `!a.b` as `(!a).b`, which is null always: write `!(a.b)`")


def _expressions(workflow: WorkflowDefinition) -> Iterator[tuple[Place, str]]:
    for name, text in workflow.provides.items():
        yield ("provides", name), text
    settings = [
        ("response", workflow.response, ("found_if", "error_if", "cost", "external_id")),
        ("callback", workflow.callback, ("found_if", "error_if", "payload")),
        ("poll", workflow.poll, ("pending_if", "payload")),
        ("emits", workflow.emits, ("items", "key")),
        ("bulk", workflow.bulk, ("answers", "status", "cost", "unlisted")),
    ]
    for part, value, names in settings:
        for name in names:
            if isinstance(found := getattr(value, name, None), str):
                yield (part, name), found
    if workflow.bulk is not None and isinstance(workflow.bulk.match, Match):
        yield ("bulk", "match", "sent"), workflow.bulk.match.sent
        yield ("bulk", "match", "answered"), workflow.bulk.match.answered
    if workflow.destination is not None:
        for name, column in workflow.destination.columns.items():
            yield ("destination", "columns", name), column.source
    yield from delivery_expressions(workflow)
    if workflow.run_if is not None:
        yield ("run_if",), workflow.run_if


def _whole_faults(workflow: WorkflowDefinition, providers: Mapping[str, Provider]) -> Iterator[Fault]:
    """What only the compiled whole shows: a URL whose host an item chooses, a header of two lines, a bad `decode`."""
    provider = providers.get(workflow.provider)
    steps: list[Callable[[], object]] = [lambda: ResponseReader(workflow)]
    if (review := workflow.review) is not None:
        steps = [lambda: ReviewReader(workflow, review)]
    if isinstance(provider, ModelProvider) and workflow.prompt is not None:
        models = provider
        steps = [lambda: PromptReader(workflow, models)]
    if workflow.bulk is not None:
        steps.append(lambda: BulkReader(workflow))
    if workflow.request is not None or workflow.prompt is not None:
        steps.append(lambda: renderer_of(workflow, provider))
    if workflow.poll is not None:
        steps.append(lambda: RequestRenderer.for_poll(workflow))
    if workflow.run_if is not None:
        text = workflow.run_if
        steps.append(lambda: condition(text))
    steps += delivery_steps(workflow)
    for step in steps:
        try:
            step()
        except ConfigurationError as error:
            yield _fault_of(error, workflow.slug)


def _fault_of(error: ConfigurationError, slug: str) -> Fault:
    message = str(error).removeprefix(f"workflow {slug}, ").removeprefix(f"workflow {slug}: ")
    placed = _PLACED.match(message)
    return Fault(tuple(placed.group(1).split(".")), placed.group(2)) if placed else Fault((), message)
