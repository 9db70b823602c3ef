"""The seam between the engine and the providers: plain values in, plain values out, no network here.

The engine renders a workflow's request (`domain.templating`), lets the provider add its address and credentials, sends
it, commits the raw `Answer`, and only then asks the provider to `classify` it. Because an answer is classified and
read from stored bytes, `enrich replay` can do it again after a mapping was fixed, without a call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from enrichment_assets.domain.statuses import ErrorClass, Outcome

if TYPE_CHECKING:  # what reads names and numbers is loaded where a prompt is read
    from enrichment_assets.domain.prompts.grounding import Citation
    from enrichment_assets.domain.prompts.neutral import Completion


class SecretPlace(NamedTuple):
    """Where a secret goes inside a header: its purpose, never its value."""

    purpose: str

    def __str__(self) -> str:
        """As a template writes it."""
        return f"{{{{secrets.{self.purpose}}}}}"


HeaderParts = tuple[str | SecretPlace, ...]
"""A header's value with places for secrets in it. Text that an item filled in stays text, whatever it says."""


@dataclass(frozen=True, slots=True)
class RenderedRequest:
    """One HTTP request ready for a provider to authorise. `url` may be a path below the provider's base URL.

    `secret_headers` are headers that wait for their secrets (`wire.secrets.fill_secrets`). `inputs` are those of a
    prompt as the model sees them: they are kept with the call, since its answer is read by them.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    secret_headers: Mapping[str, HeaderParts] = field(default_factory=dict)
    inputs: Mapping[str, str] | None = field(default=None, compare=False)

    def spelled_headers(self) -> dict[str, str]:
        """All headers as their templates spell them, `{{secrets.purpose}}` for a secret: for keys and for people."""
        return {**self.headers, **{name: "".join(map(str, parts)) for name, parts in self.secret_headers.items()}}


@dataclass(frozen=True, slots=True)
class Answer:
    """A raw HTTP answer as the ledger keeps it; header names are lower case.

    `document`: what the body is, where it has been parsed already as a part of another. `inputs`: those of the prompt
    that it answers, as they were kept with the call; None: it answers no prompt.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    document: tuple[Any] | None = field(default=None, compare=False)
    inputs: Mapping[str, str] | None = field(default=None, compare=False)


Conversation = Generator[RenderedRequest, Answer, Answer]
"""Several requests that are one call: yields each, is sent its answer, and returns what the call is answered with.

It yields at least one, does no I/O and keeps nothing. The whole of it may be held again after any of its answers was
lost, for it begins by asking how things stand: a workflow that makes such calls says `free_or_idempotent: true`.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a delivery needs to be there.

    Attributes:
        parameters: Of the workflow, with the client's.
        fields: Remote names that are written.
    """

    parameters: Mapping[str, Any]
    fields: tuple[str, ...]


Check = Generator[RenderedRequest, Answer, list[str]]
"""Questions about a destination, none of which changes anything: yields each, as a template renders it, is sent its
answer where that was a good one (`classify`), and returns what is missing there, each with what to do."""


@dataclass(slots=True)
class Verdict:
    """What an answer means before its payload is mapped.

    Attributes:
        error: None when the payload may be read (or `not_found`/`accepted` is set).
        not_found: The provider says there is nothing: an outcome, not an error.
        message: For people: cause and fix, never a secret or a whole body.
        retry_after: Seconds the provider asks to wait, if it said so.
        cost_units: Units (credits) that a header or the status says were billed; None: not said.
        suppress: The person may not be processed (Hunter's 451): skip, do not ask again.
    """

    error: ErrorClass | None = None
    not_found: bool = False
    message: str = ""
    retry_after: float | None = None
    cost_units: Decimal | None = None
    suppress: bool = False


@dataclass(slots=True)
class Reading:
    """What `domain.mapping` read out of one payload.

    `rejected`: field -> what the payload has for it that is no value of the field (`domain.values.rejection`).
    `note`: what was mended in the bytes to read them, for people. `reason`: why nothing was found, where that is said.
    `completion`, `citations`: of a prompt, what the model used and said, and where its grounded values stand;
    `cited`: the same by the fields that are provided (`domain.prompts.grounding.cited`).
    """

    outcome: Outcome
    payload: Any
    fields: Mapping[str, Any]
    cost_units: Decimal | None = None
    external_id: str | None = None
    emitted: tuple[Any, ...] = ()
    rejected: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None
    reason: str | None = None
    completion: Completion | None = None
    citations: tuple[Citation, ...] = ()
    cited: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteField:
    """A value as a destination takes it.

    Attributes:
        value: As it is sent: an option's id for its label.
        id: The destination's id of the field, where fields are named by ids.
        known: All that the lookups say of the field.
        left_out: Why the value is not sent, where the field does not take it and the others go; quotes no data.
    """

    value: Any
    id: str | None = None
    known: Any = None
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a destination when a lead's values become its fields'.

    Attributes:
        lookups: Name -> what was found there.
        place: In which place of it the lead is (to be).
        current: What `read` found of the lead, as `Provider.current_fields` gave it; None: it was not read.
    """

    lookups: Mapping[str, Any]
    place: str | None = None
    current: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that a provider puts into requests by itself, without a template that names it.

    Attributes:
        purpose: What workflows call it under `secrets`.
        variable: The environment variable that has it unless a workflow names another; None: each workflow names one.
        optional: Whether a call can do without it.
    """

    purpose: str
    variable: str | None = None
    optional: bool = False


class Ability(StrEnum):
    """What a provider can do besides answering at once."""

    CALLBACK = "posts the result to a callback URL when it is done"
    POLL = "can be asked whether it is done"
    IDEMPOTENCY = "knows a repeated request by a header and bills it once"


@dataclass(frozen=True)
class Provider(ABC):
    """An outside service. Each subclass is one file in `providers/` and says there all that is particular to it.

    Attributes:
        base_url: Where its relative requests go: `home`, or its place in the simulator.
        name: What workflows call it (`provider: apollo`), and its path in the simulator.
        title: Its name for people.
        company: Who runs it at its own address, where its file says so; None: whoever the user asks.
        home: Its own address; empty where every user has an address of his own.
        own_address: Requests may go to any address that the configuration names. Otherwise only below `base_url`: the
            key would go to another host.
        schemes: Of addresses that its workflows may name besides `http` and `https`.
        asks_people: Nothing is sent: people see what is asked, and answer when they do.
        secrets: What `authorise` uses without being asked in a template.
        key_word: A variable with this word in its name (`ACME_APOLLO_KEY`) is a key of this provider; None: none is.
        abilities: What it can do besides answering at once; a workflow of mode `async` needs one of the first two.
        billing: What its bill counts, for people. What a call costs is said by each workflow's `price`.
        documentation: Where its API is described.
        contacts: A delivery through it writes to people, so that the gate for contacts stands before it.
        mailboxes: Kind of the mailboxes that its deliveries leave from, each at its place in a mailbox's day; None:
            they leave as they come.
        template: Slug of the shipped workflow whose request one that is written down by SQL sends; None: each of its
            workflows asks something else.
    """

    base_url: str

    name: ClassVar[str]
    title: ClassVar[str]
    company: ClassVar[str | None] = None
    home: ClassVar[str] = ""
    own_address: ClassVar[bool] = False
    schemes: ClassVar[tuple[str, ...]] = ()
    asks_people: ClassVar[bool] = False
    secrets: ClassVar[tuple[Secret, ...]] = ()
    key_word: ClassVar[str | None] = None
    abilities: ClassVar[frozenset[Ability]] = frozenset()
    billing: ClassVar[str]
    documentation: ClassVar[str] = ""
    contacts: ClassVar[bool] = False
    mailboxes: ClassVar[str | None] = None
    template: ClassVar[str | None] = None

    @classmethod
    def default_variables(cls) -> dict[str, str]:
        """Purpose -> variable of the secrets that have one unless a workflow names another."""
        return {secret.purpose: secret.variable for secret in cls.secrets if secret.variable is not None}

    @classmethod
    def purposes(cls) -> tuple[str, ...]:
        """Purposes of the secrets that it uses by itself; any other is for a header of the request."""
        return tuple(secret.purpose for secret in cls.secrets)

    @abstractmethod
    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Return the request with an absolute URL below `base_url` and credentials added (headers where possible).

        Raises:
            ConfigurationError: There is no address, or credentials would go to a stranger.
        """

    @abstractmethod
    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means, by status, headers and this provider's quirks. Never raises."""

    def conversation(self, request: RenderedRequest, secrets: Mapping[str, str]) -> Conversation | None:
        """The requests of one call, where an API takes several to do what one of ours says; None: it is sent as it is.

        Args:
            request: As `authorise` made it.
            secrets: By purpose.
        """
        return None

    def check(self, wanted: Wanted) -> Check | None:
        """What a delivery's destination lacks: fields, a place for our key, rights; None: nobody knows how to ask."""
        return None

    def simulated_path(self, url: str, *, is_poll: bool) -> str | None:
        """The path below its place in the simulator that stands for an address of a user's own.

        None: the address's path is the simulator's too, as it is for a provider with one API for all.
        """
        return None

    def remote_field(self, name: str, value: Any, lookups: Mapping[str, Any]) -> RemoteField:
        """A field's value as a destination of this kind takes it, by what the delivery's `lookups` found there.

        Where data cannot say it: a drop-down is written by the id of an option, and shown by its label.

        Raises:
            ContractError: The value cannot be one of that field; names the field and what it can be, quotes no data.
        """
        return RemoteField(value)

    def remote_fields(self, fields: Mapping[str, Any], seen: Seen) -> dict[str, RemoteField]:
        """Every field that is written now, for a destination whose fields depend on where the lead is.

        Raises as `remote_field`, or says of a field why it is left out.
        """
        return {name: self.remote_field(name, value, seen.lookups) for name, value in fields.items()}

    def current_fields(self, found: Any, written: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a destination has now, by the names of the delivery's fields and in a lead's words.

        Args:
            found: What `delivery.read.current` gave.
            written: Remote name -> value that we wrote last; where the destination says the same in its own words, the
                value is given as it was written.
        """
        return found if isinstance(found, Mapping) else {}
