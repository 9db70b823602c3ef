"""What a workflow is: the typed form of a row of `enrichment_registry` and of a built-in YAML file.

The YAML file, the database row and this model are the same thing in three coats; `WorkflowDefinition` is the one
place that validates it. A workflow is data: request template, response mapping, price, limits and destination.
Templates are Jinja2 expressions over the item's fields (`{{first_name}}`); mappings are JMESPath.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from enrichment_assets.domain.bulk import Bulk
from enrichment_assets.domain.client_slugs import SLUG_PATTERN
from enrichment_assets.domain.contact_records import EmailRecords, PhoneRecords, fields_of_records
from enrichment_assets.domain.deliveries import Delivery, WorkflowPhase, delivery_fault
from enrichment_assets.domain.destination import Destination
from enrichment_assets.domain.drafts import drafts_fault
from enrichment_assets.domain.durations import Seconds
from enrichment_assets.domain.emits import EmitsField
from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.lead_columns import LeadColumn, long_provides, provides_fault
from enrichment_assets.domain.parts import IDENTIFIER_PATTERN, Part
from enrichment_assets.domain.patience import Limits, Retry
from enrichment_assets.domain.prices import Price
from enrichment_assets.domain.prompts.definition import Prompt, fault_beside, with_patience
from enrichment_assets.domain.record_fields import ABOUT_EMAIL
from enrichment_assets.domain.regions import Processor, RegionCode, UnknownCountry
from enrichment_assets.domain.request_template import RequestTemplate
from enrichment_assets.domain.reviews import Review, review_fault, with_question
from enrichment_assets.domain.signatures import SignatureScheme

_NO_MISS = (401, 402, 403, 407, 408, 421, 425, 426, 429, 431)
"""4xx statuses about the caller or the moment, never about the row that was asked for."""

Stage = Literal["enriched", "researched", "qualified", "personalised", "contacted"]
"""Stages of the funnel that a workflow can take a lead to; `seeds/funnel_stages.csv` of the models orders them."""

Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]
FieldName = Annotated[str, Field(pattern=IDENTIFIER_PATTERN)]
Requirement = FieldName | Annotated[list[FieldName], Field(min_length=1)]
"""One required field, or a list of which any one is enough."""


CALLBACK_SECRET = "callback_secret"  # noqa: S105 - a purpose, not a secret
"""Purpose of the secret that verifies callbacks; it is not sent to anybody and is nobody's account."""


LOCAL = "local"
"""What `provider` says in a workflow of mode `local`, which sends nothing."""


class Mode(StrEnum):
    """How the answer comes: computed here, in the response, or by a later callback."""

    LOCAL = "local"
    SYNC = "sync"
    ASYNC = "async"


class Entity(StrEnum):
    """What one call is about. A company workflow runs once per distinct company of a batch."""

    PERSON = "person"
    COMPANY = "company"


class ResponseMapping(Part):
    """How an answer is read. Every value is a JMESPath expression over the payload.

    The payload is the JSON body; for a body that is not JSON it is `{"text": ..., "headers": {...}, "final_url": ...}`
    when `format: text`, what the page says when `format: page` (docs/pages.md), and what lies there when `format: map`
    (`domain.map_answers`).
    An answer is `found` when `found_if` is true-ish (default: any of `provides` is not null).
    """

    format: Literal["json", "text", "page", "map"] = "json"
    found_if: str | None = None
    cost: str | None = Field(default=None, description="reported cost in units of `price.unit`")
    decode: str | None = Field(
        default=None,
        description="where text holds JSON: `choices[0].message.content`; it is opened before mapping. With `format: "
        "page`: where in JSON the page stands",
    )
    with_html: bool = Field(default=False, description="with `format: page`: the payload has `html` too, whole")
    not_found_status: list[int] = Field(
        default_factory=list, description="sync: statuses by which this API says that it knows nothing, `[404]`"
    )
    external_id: str | None = Field(default=None, description="the provider's id of an async submission")
    error_if: str | None = Field(default=None, description="true-ish: a 2xx body that is an error; FAILED(contract)")

    @model_validator(mode="after")
    def _body_is_html(self) -> ResponseMapping:
        if self.with_html and (self.format != "page" or self.decode is not None):
            raise ValueError("`with_html` goes with `format: page`, where the body itself is the page: no `decode`")
        return self

    @field_validator("not_found_status")
    @classmethod
    def _says_nothing_else(cls, value: list[int]) -> list[int]:
        wrong = [status for status in value if not (400 <= status < 500 or status == 204) or status in _NO_MISS]
        if wrong:
            raise ValueError(f"{wrong[0]} never says that a row is not known: 204, 404, 410 and the like can")
        return value


class Callback(Part):
    """How a callback body is read (async workflows). Expressions are JMESPath over the body."""

    found_if: str | None = None
    error_if: str | None = None
    payload: str = "@"
    on_deadline: Literal["fail", "retry"] = "fail"
    keep_open: Seconds = 30 * 86400.0
    signature: SignatureScheme | None = Field(default=None, description="how a body is signed by `callback_secret`")


class Poll(Part):
    """How a submission is asked for when no callback came; templates also see `external_id`."""

    request: RequestTemplate
    pending_if: str | None = Field(default=None, description="true-ish over the poll body: not ready yet")
    pending_status: list[int] = Field(default_factory=list, description="HTTP statuses that mean: not ready yet")
    payload: str = "@"
    every: Seconds | None = Field(
        default=None, description="pace from the submission on, unless the provider names one; None: at the deadline"
    )


class WorkflowDefinition(Part):
    """One registered way to enrich. See the module docstring; field by field in docs/workflows.md."""

    slug: Slug
    title: str = Field(min_length=1, max_length=200)
    description: str = ""
    step: int = Field(ge=0, le=100_000, description="overall_step_number: the usual place in a pipeline")
    phase: WorkflowPhase = Field(
        default=WorkflowPhase.ENRICHMENT, description="what it does: learns of rows, or delivers"
    )
    stage: Stage | None = Field(default=None, description="where a lead stands in the funnel once this found something")
    provider: str = Field(pattern=IDENTIFIER_PATTERN)
    operation: str = Field(min_length=1, max_length=100)
    id_namespace: str | None = Field(
        default=None, pattern=IDENTIFIER_PATTERN, description="whose ids the answer's ids are, where not the provider's"
    )
    mode: Mode
    entity: Entity = Entity.PERSON
    requires: list[Requirement] = Field(default_factory=list)
    uses: list[FieldName] = Field(default_factory=list, description="optional inputs; order steps, skip nothing")
    provides: dict[FieldName, str] = Field(default_factory=dict)
    emails: list[EmailRecords] = Field(default_factory=list, description="where e-mail addresses stand (docs/contacts)")
    phones: list[PhoneRecords] = Field(default_factory=list, description="where phone numbers stand (docs/contacts)")
    types: dict[FieldName, FieldType] = Field(
        default_factory=dict, description="what kind of value a provided field of its own is (docs/workflows.md)"
    )
    columns: dict[FieldName, LeadColumn] = Field(
        default_factory=dict, description="which provided fields are columns of final_leads (docs/workflows.md)"
    )
    drafts: list[FieldName] = Field(
        default_factory=list, description="provided fields that leave only when a person has approved their exact bytes"
    )
    run_if: str | None = None
    not_for: list[RegionCode] = Field(default_factory=list, description="regions whose people are not asked about")
    not_for_unknown: UnknownCountry = Field(default="skip", description="where a row says no country")
    processor: Processor | None = Field(default=None, description="who processes what is sent, and where")
    base_url: str | None = Field(default=None, description="overrides the provider's address")
    parameters: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict, description="purpose -> NAME of an environment variable")
    request: RequestTemplate | None = None
    prompt: Prompt | None = Field(default=None, description="what a language model is asked, instead of a `request`")
    review: Review | None = Field(default=None, description="what a person is asked, instead of a `request`")
    delivery: Delivery | None = Field(default=None, description="which leads go where, with `phase: delivery`")
    response: ResponseMapping = ResponseMapping()
    callback: Callback = Callback()
    poll: Poll | None = None
    deadline: Seconds = Field(default=3600.0, description="async: time until the answer is overdue")
    destination: Destination | None = None
    price: Price = Price()
    limits: Limits = Limits()
    retry: Retry = Retry()
    free_or_idempotent: bool = Field(
        default=False, description="a call of unknown fate may be sent again without a person deciding"
    )
    idempotency_header: str | None = None
    reuse_for: Seconds | None = Field(
        default=None, le=10 * 365 * 86400.0, description="an answer to the same question of this client may be as old"
    )
    bulk: Bulk | None = Field(default=None, description="one request carries many items")
    emits: EmitsField = Field(default=None, description="what of the answer becomes child items (docs/fan-out.md)")
    enabled: bool = True

    @model_validator(mode="before")
    @classmethod
    def _long_provides(cls, value: object) -> object:
        return with_question(with_patience(long_provides(value))) if isinstance(value, dict) else value

    @field_validator("secrets")
    @classmethod
    def _names_only(cls, value: dict[str, str]) -> dict[str, str]:
        for purpose, name in value.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
                msg = (
                    f"secrets.{purpose} has to be the NAME of an environment variable "
                    "(letters, digits, underscores), never the secret itself"
                )
                raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _whole(self) -> WorkflowDefinition:
        if self.mode is Mode.LOCAL and self.request is not None:
            raise ValueError("a local workflow sends nothing: remove `request` or change `mode`")
        if fault := provides_fault(self.provides, self.types, self.columns) or drafts_fault(self.drafts, self.provides):
            raise ValueError(fault)
        if self.mode is not Mode.LOCAL and self.request is None and self.prompt is None:
            raise ValueError(f"a {self.mode} workflow needs a `request`")
        if fault := review_fault(self) or (fault_beside(self.prompt, self) if self.prompt is not None else None):
            raise ValueError(fault)
        if fault := delivery_fault(self):
            raise ValueError(fault)
        if self.mode is Mode.ASYNC and self.response.not_found_status:
            raise ValueError(
                "`response.not_found_status` is for sync workflows: whoever accepts an order knows nothing"
            )
        if self.mode is not Mode.ASYNC and self.poll is not None:
            raise ValueError("only an async workflow can have `poll`")
        if self.callback.signature is not None and CALLBACK_SECRET not in self.secrets:
            raise ValueError(f"`callback.signature` needs `secrets.{CALLBACK_SECRET}`: the NAME of a variable")
        return self

    @property
    def overdue_after(self) -> float | None:
        """Seconds after which an answer that is to come is overdue; None: never, for a person has no deadline."""
        return None if self.review is not None else self.deadline

    @property
    def required_fields(self) -> frozenset[str]:
        """Every field named in `requires`, alternatives included."""
        return frozenset(f for r in self.requires for f in ([r] if isinstance(r, str) else r))

    @property
    def provided_fields(self) -> frozenset[str]:
        """Every field that later steps may have from this workflow: by `provides`, `emails` and `phones`.

        An address comes with what is known of it, whoever says it.
        """
        judged = ABOUT_EMAIL if {"email", "email_status"} & set(self.provides) else ()
        return frozenset({*self.provides, *fields_of_records(self.emails, self.phones), *judged})

    def version(self) -> str:
        """Content hash (16 hex digits) of the definition: two equal definitions have one version.

        Keys are sorted: jsonb does not keep their order, and a definition is the same after it came back. Defaults are
        left out: a field that this model learns later changes no version, so no call of a running batch gets a new key.
        Nor do those that only say who is asked about, who processes it, and how an answer is counted, joined and shown.
        """
        return self._hash({"stage", "id_namespace", "columns", "drafts", "not_for", "not_for_unknown", "processor"})

    def content_version(self) -> str:
        """The same of a definition as a file ships it, columns included, whether or not it is switched on."""
        return self.model_copy(update={"enabled": True})._hash({"stage", "id_namespace"})

    def _hash(self, without: set[str]) -> str:
        fields = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=without)
        canonical = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def missing_requirements(self, available: Mapping[str, Any]) -> list[str]:
        """Names of required inputs that are null or blank in `available`; alternatives are joined by `|`."""
        missing = []
        for requirement in self.requires:
            names = [requirement] if isinstance(requirement, str) else requirement
            if not any(_present(available.get(name)) for name in names):
                missing.append("|".join(names))
        return missing


def _present(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())
