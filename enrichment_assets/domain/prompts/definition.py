"""The setting behind a prompt workflow: what a language model is asked, and what its answer has to look like.

`prompt:` stands in the place of `request:`. It names no vendor's words: the provider's file makes the request of it
(`domain.prompts.model_provider`), so that a workflow moves from one vendor to another by its `provider` and `model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from enrichment_assets.domain.durations import Seconds

MOST_INPUT_TOKENS = 200_000
"""What a request holds besides: a body of a million bytes (`domain.templating.MAX_BODY`)."""

PATIENCE: Mapping[str, float] = {"timeout": 600.0, "total": 1800.0}
"""`retry` of a prompt workflow that does not say otherwise, in seconds.

Models think for minutes, and the vendors' own clients wait for 600 (OpenAI) and 900 seconds (Perplexity). A LiteLLM
gateway sleeps up to three times `retry-after` before it passes a 429 on: with less, that call ends AMBIGUOUS.
"""

MOST_LINES = 1_000
"""Of one order to a vendor's batch API. Vendors take 50,000 and more; what waits or is lost with one stays small."""

MOST_BYTES = 64_000_000
"""Of the lines of one order: OpenAI takes 200 MB in a file, Anthropic 256 MB, and all of it is in memory once."""

MOST_ANSWERED = 8_000_000
"""Of their answers, which are kept as one."""

BATCH_DEADLINE = 25 * 3600.0
"""`deadline` of a prompt workflow with `batch` that does not say otherwise: vendors take a day."""

InputName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Search(BaseModel):
    """Whether the model may search the web; `search: true` is short for the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_most: int = Field(default=5, ge=1, le=50, description="searches of one call; they are billed")
    domains: list[str] = Field(default_factory=list, max_length=20, description="hosts that it may search alone")


def _searches(value: object) -> object:
    return {} if value is True else None if value is False else value


class Prompt(BaseModel):
    """What a workflow asks a language model (docs/prompts.md).

    `instructions` are ours: their templates see `parameters` and nothing of an item. `inputs` are a stranger's text,
    whatever they say: each is rendered for the item, fenced and labelled as data. `answer` is the JSON Schema that the
    answer is validated against here, whatever a vendor promises.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, max_length=200, description="as the provider names it, a version that stays")
    instructions: str = Field(min_length=1, max_length=50_000)
    inputs: dict[InputName, Any] = Field(min_length=1, max_length=50, description="name -> template over the item")
    answer: dict[str, Any] = Field(description="JSON Schema of the answer, an object")
    max_output_tokens: int = Field(ge=1, le=128_000, description="the model's thinking among them")
    max_input_tokens: int = Field(
        default=20_000, ge=100, le=MOST_INPUT_TOKENS, description="of all inputs; what is longer is cut at a sentence"
    )
    grounded: dict[str, list[InputName]] = Field(
        default_factory=dict, description="field of the answer -> the inputs of which one has to hold its value"
    )
    cites: dict[str, InputName] = Field(
        default_factory=dict, description="field of the answer with numbers of facts -> the input whose lines they are"
    )
    temperature: float | None = Field(default=None, ge=0, le=2, description="where the model takes one")
    search: Annotated[Search | None, BeforeValidator(_searches)] = None
    background: bool = Field(default=False, description="mode async: submitted, then asked about until it is done")
    batch: bool = Field(default=False, description="mode async: by the vendor's batch API, at half the price")
    every: Seconds = Field(default=15.0, ge=1.0, description="pace at which a background answer is asked about")

    @model_validator(mode="after")
    def _names_there_are(self) -> Prompt:
        for field, names in self.grounded.items():
            if not names:
                raise ValueError(f"grounded.{field}: names no input; leave the field out, or say where it has to stand")
        if self.background and self.batch:
            raise ValueError("`background` and `batch` are two ways to wait for an answer: leave one of them out")
        return self

    @property
    def most_lines(self) -> int:
        """Lines of one order to the vendor's batch API: as many as fit into memory, and their answers into a row."""
        of_request = MOST_BYTES // (self.max_input_tokens * 5 + 10_000)
        of_answer = MOST_ANSWERED // (self.max_output_tokens * 6 + 2_000)
        return max(1, min(MOST_LINES, of_request, of_answer))

    @property
    def answers_later(self) -> bool:
        """Whether the answer to the request is only that it was taken: the mode has to be `async`."""
        return self.background or self.batch


def with_patience(workflow: object) -> object:
    """A workflow as it is written, with the patience that a prompt needs where its `retry` says nothing of it."""
    if not isinstance(workflow, Mapping) or workflow.get("prompt") is None:
        return workflow
    retry = workflow.get("retry")
    if retry is not None and not isinstance(retry, Mapping):
        return workflow
    prompt = workflow["prompt"]
    is_batch = isinstance(prompt, Mapping) and prompt.get("batch") is True
    deadline = {"deadline": BATCH_DEADLINE} if is_batch and "deadline" not in workflow else {}
    return {**workflow, **deadline, "retry": {**PATIENCE, **(retry or {})}}


def fault_beside(prompt: Prompt, workflow: Any) -> str | None:
    """What of a `WorkflowDefinition` cannot stand beside its prompt, which makes the request and reads the answer."""
    mode = workflow.mode.value
    if mode == "local":
        return "a local workflow asks nobody: remove `prompt` or change `mode`"
    beside = [name for name in ("request", "poll", "bulk", "emits") if getattr(workflow, name) is not None]
    if beside:
        return f"a `prompt` stands alone: remove `{beside[0]}`"
    if said := set(workflow.response.model_dump(exclude_defaults=True)) - {"found_if"}:
        return f"a prompt's answer is read by its schema: remove `response.{min(said)}`"
    if workflow.emails or workflow.phones:
        return "`emails` and `phones` are for answers of others: a prompt provides fields, and grounds them"
    if prompt.answers_later and mode != "async":
        return f"`prompt.{'batch' if prompt.batch else 'background'}` answers later: write `mode: async`"
    if mode == "async" and not prompt.answers_later:
        return "a prompt is answered at once: write `mode: sync`, or `prompt.background: true` to be asked about later"
    return None
