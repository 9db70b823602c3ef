"""What is set up: clients and their overrides, workflows, pipelines, and what was put away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from enrichment_assets.domain.hints import Hint
from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.domain.pipeline import ClientWorkflowConfig
    from enrichment_assets.domain.workflow import WorkflowDefinition
    from enrichment_assets.services.catalog import archiving, checking, clients, configuration, processors, readers
    from enrichment_assets.store.catalog.profiles import StoredProfile
    from enrichment_assets.store.tenancy import readers as reader_roles


@dataclass(frozen=True, slots=True)
class Client(Shape):
    """The agency's customer.

    Attributes:
        slug: Its short name; other nouns call it `client`.
        name: Its name for people.
        created_at: When it was added.
        weight: Its turns beside one of a client of weight 1, where they share a provider's rate.
    """

    slug: str
    name: str
    created_at: datetime
    weight: float

    @classmethod
    def of(cls, found: clients.Client) -> Client:
        """From what the services return."""
        return cls(found.slug, found.name, found.created_at, found.weight)


@dataclass(frozen=True, slots=True)
class Reader(Shape):
    """A role that sees one client's rows of the results.

    Attributes:
        client: Whose rows it sees.
        role: Its name in Postgres.
        granted_at: Since when.
        exists: Whether the role is there, and is the one that was made then.
    """

    client: str
    role: str
    granted_at: datetime
    exists: bool

    @classmethod
    def of(cls, found: reader_roles.Reader) -> Reader:
        """From what the services return."""
        return cls(found.client, found.role, found.granted_at, found.exists)


@dataclass(frozen=True, slots=True)
class ReaderGrant(Shape):
    """A reader that was let in.

    Attributes:
        client: Whose rows it sees.
        role: Its name in Postgres.
        database: Where it reads, as `host:port/database`.
        relations: The tables and views that it may read.
        password: One that was made up now, and is kept nowhere; null: it has the one that was given, or had before.
    """

    client: str
    role: str
    database: str
    relations: tuple[str, ...]
    password: str | None

    @classmethod
    def of(cls, granted: readers.Granted) -> ReaderGrant:
        """From what the services return."""
        reader = granted.reader
        return cls(reader.client, reader.role, granted.database, tuple(granted.relations), granted.password)


@dataclass(frozen=True, slots=True)
class ReaderRevocation(Shape):
    """A reader that was taken away.

    Attributes:
        client: Whose rows it saw.
        role: Its name in Postgres.
        left: Why the role is still there, without any right of the platform's; null: it is gone.
    """

    client: str
    role: str
    left: str | None

    @classmethod
    def of(cls, revoked: readers.Revoked) -> ReaderRevocation:
        """From what the services return."""
        return cls(revoked.client, revoked.role, revoked.left)


@dataclass(frozen=True, slots=True)
class ClientConfig(Shape):
    """What a client overrides in one workflow.

    Attributes:
        settings: Dotted path to value, like `limits.per_second`.
        secrets: Purpose to the name of an environment variable.
        enabled: Whether the workflow runs in this client's batches.
    """

    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    enabled: bool

    @classmethod
    def of(cls, found: ClientWorkflowConfig) -> ClientConfig:
        """From what the services return."""
        return cls(found.settings, found.secrets, found.enabled)


@dataclass(frozen=True, slots=True)
class ClientProfile(Shape):
    """A version of what a client offers, as prompts see it.

    Attributes:
        client: Whose it is.
        version: Its number, from 1.
        content_hash: SHA-256 of what it says, in hex.
        set_by: Who set it, like `cli:ada`.
        set_at: When.
        profile: Name to value: [prompts](prompts.md#the-clients-profile).
    """

    client: str
    version: int
    content_hash: str
    set_by: str
    set_at: datetime
    profile: Mapping[str, Any]

    @classmethod
    def of(cls, client: str, found: StoredProfile) -> ClientProfile:
        """From what the services return."""
        return cls(client, found.version, found.content_hash, found.set_by, found.set_at, found.profile.values())


@dataclass(frozen=True, slots=True)
class Workflow(Shape):
    """One registered way to enrich.

    Attributes:
        origin: `built-in`, `edited` (a built-in that somebody changed) or `added`.
        version: Changes with everything that changes what the workflow does.
        definition: The workflow as its YAML file says it: [workflows](workflows.md).
    """

    origin: str
    version: str
    definition: BaseModel = field(metadata=FLAT)

    @classmethod
    def of(cls, found: configuration.RegisteredWorkflow) -> Workflow:
        """From what the services return."""
        return cls(found.origin, found.version, found.definition)

    @classmethod
    def configured(cls, found: configuration.RegisteredWorkflow, merged: WorkflowDefinition) -> Workflow:
        """A registered workflow as it runs for a client."""
        return cls(found.origin, merged.version(), merged)


@dataclass(frozen=True, slots=True)
class WorkflowProcessor(Shape):
    """Who processes what a workflow sends, and whose people it is closed to.

    Attributes:
        workflow: Its slug.
        provider: Whom it calls; `local`: nobody.
        about: `person` or `company`.
        processor: Who processes it; null: nobody has said.
        regions: Where, as ISO 3166 codes, `EU` or `EEA`; empty: not known.
        subprocessors: `name` and `regions` of whoever works for the processor.
        not_for: Regions whose people it is not asked about.
        not_for_unknown: `skip` or `ask` about a row that says no country; null: it is closed to nobody.
    """

    workflow: str
    provider: str
    about: str
    processor: str | None
    regions: tuple[str, ...]
    subprocessors: tuple[Mapping[str, Any], ...]
    not_for: tuple[str, ...]
    not_for_unknown: str | None

    @classmethod
    def of(cls, found: processors.Processing) -> WorkflowProcessor:
        """From what the services return."""
        workflow, who = found.workflow, found.processor
        return cls(
            workflow=workflow.slug,
            provider=workflow.provider,
            about=workflow.entity.value,
            processor=None if who is None else who.name,
            regions=() if who is None else tuple(who.regions),
            subprocessors=() if who is None else tuple(one.model_dump() for one in who.subprocessors),
            not_for=tuple(workflow.not_for),
            not_for_unknown=workflow.not_for_unknown if workflow.not_for else None,
        )


@dataclass(frozen=True, slots=True)
class Pipeline(Shape):
    """A named, ordered list of workflows.

    Attributes:
        client: Whose it is; null: all clients share it.
        definition: `slug`, `title`, `steps` and `company_identity`, as its YAML file says it.
    """

    client: str | None
    definition: BaseModel = field(metadata=FLAT)

    @classmethod
    def of(cls, found: configuration.RegisteredPipeline) -> Pipeline:
        """From what the services return."""
        return cls(found.client, found.definition)


@dataclass(frozen=True, slots=True)
class Saved(Shape):
    """What saving a workflow or a pipeline came to.

    Attributes:
        slug: What was saved.
        change: `added`, `updated` or `unchanged`.
        warnings: What probably is not meant, and pipelines that cannot run any more.
    """

    slug: str
    change: str
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, saved: configuration.Saved) -> Saved:
        """From what the services return."""
        return cls(saved.slug, saved.change, saved.warnings)


@dataclass(frozen=True, slots=True)
class Finding(Shape):
    """One thing that is wrong in a file, or probably not meant.

    Attributes:
        place: The field, as a path; empty: the whole file.
        message: What is wrong.
        line: Where in the file; null: in no line of its own.
        hints: What helps.
    """

    place: str
    message: str
    line: int | None
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class CheckedFile(Shape):
    """What was found in one workflow file; it can be added when `problems` is empty.

    Attributes:
        file: Its path, as it was given.
        slug: The workflow's; null: it is no workflow.
        problems: What is wrong.
        warnings: What is probably not meant.
    """

    file: str
    slug: str | None
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @classmethod
    def of(cls, found: checking.CheckedFile) -> CheckedFile:
        """From what the services return."""
        return cls(found.file, found.slug, _findings(found.problems), _findings(found.warnings))


def _findings(found: tuple[checking.Finding, ...]) -> tuple[Finding, ...]:
    return tuple(Finding(one.place, one.message, one.line, one.hints) for one in found)


@dataclass(frozen=True, slots=True)
class PutAway(Shape):
    """What was archived, restored or removed.

    Attributes:
        kind: `client`, `upload`, `workflow`, `pipeline` or `batch`.
        name: Its slug or key; of an upload its id, as text.
        client: Whose it is; null: nobody's.
        change: `archived`, `restored` or `removed`.
    """

    kind: str
    name: str
    client: str | None
    change: str

    @classmethod
    def of(cls, done: archiving.Put) -> PutAway:
        """From what the services return."""
        return cls(done.kind, done.name, done.client, done.change)


@dataclass(frozen=True, slots=True)
class Archived(Shape):
    """Something that is archived.

    Attributes:
        kind: `client`, `upload`, `workflow`, `pipeline` or `batch`.
        name: Its slug or key; of an upload its id, as text.
        client: Whose it is; null: nobody's.
        since: When it was archived.
    """

    kind: str
    name: str
    client: str | None
    since: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Archived:
        """From what the services return."""
        return cls(row["kind"], row["name"], row["client"], row["since"])
