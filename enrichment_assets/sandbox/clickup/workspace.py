"""What a ClickUp workspace holds: spaces, folders, lists, custom fields, people, tasks and webhooks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from enrichment_assets.sandbox.seeded_random import digest


@dataclass(slots=True)
class Person:
    """A member; `is_disabled`: a former one, whose webhooks are silent."""

    id: int
    username: str
    email: str
    is_disabled: bool = False


@dataclass(slots=True)
class Option:
    """A choice of a drop-down or label field."""

    id: str
    name: str
    color: str = "#667684"


@dataclass(slots=True)
class CustomField:
    """A custom field as it was made at one place (`home`: id of the workspace, space, folder or list)."""

    id: str
    name: str
    type: str
    home: str
    options: list[Option] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Status:
    """A column of the board; `type` is open, custom, done or closed."""

    status: str
    type: str
    color: str
    orderindex: int


@dataclass(slots=True)
class Space:
    """A space of the workspace."""

    id: str
    name: str


@dataclass(slots=True)
class Folder:
    """A folder of a space."""

    id: str
    name: str
    space: Space
    archived: bool = False


@dataclass(slots=True)
class TaskList:
    """A list; `folder` is None for one that lies in its space without a folder."""

    id: str
    name: str
    space: Space
    folder: Folder | None
    statuses: tuple[Status, ...]
    archived: bool = False

    @property
    def homes(self) -> tuple[str, ...]:
        """Ids of the places whose fields its tasks have, besides the workspace."""
        return (self.space.id, *((self.folder.id,) if self.folder else ()), self.id)


@dataclass(slots=True)
class Task:
    """A task. `values` is custom field id -> what is stored; `also_in`: further lists that show it."""

    id: str
    name: str
    home: TaskList
    status: Status
    creator: Person
    created: int
    updated: int
    markdown: str = ""
    assignees: list[Person] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    priority: int | None = None
    due: int | None = None
    parent: str | None = None
    also_in: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    archived: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Webhook:
    """A subscription; `fails` counts events that no attempt brought home."""

    id: str
    owner: Person
    endpoint: str
    events: list[str]
    secret: str
    place: dict[str, str]
    status: str = "active"
    fails: int = 0


@dataclass
class Workspace:
    """Everything in one workspace. Ids follow from the seed and the token; times are milliseconds and never repeat."""

    seed: int
    token: str
    id: str = ""
    name: str = ""
    owner: Person = field(default_factory=lambda: Person(0, "", ""))
    people: dict[int, Person] = field(default_factory=dict)
    spaces: dict[str, Space] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    lists: dict[str, TaskList] = field(default_factory=dict)
    fields: dict[str, CustomField] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    field_writes: int = 0
    most_field_writes: int | None = None
    loses_next: bool = False
    refused_lists: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _last: int = 0

    def now(self) -> int:
        """Milliseconds since 1970, later than all that were given before."""
        self._last = max(self._last + 1, time.time_ns() // 1_000_000)
        return self._last

    def uuid(self, *identity: object) -> str:
        """An id of a field, an option or a webhook."""
        return str(UUID(bytes=digest(self.seed, "clickup", self.token, *identity, size=16), version=4))

    def number(self, kind: str) -> int:
        """The next number of a kind, from 1."""
        self._numbers[kind] += 1
        return self._numbers[kind]

    def place_id(self, kind: str) -> str:
        """The id of a new space, folder or list: digits."""
        return str(90_000_000_000 + {"space": 1, "folder": 2, "list": 3}[kind] * 1_000_000 + self.number(kind))

    def task_id(self) -> str:
        """The id of a new task: a few letters and digits."""
        return "86" + digest(self.seed, "clickup task", self.token, self.number("task"), size=4).hex()

    def fields_of(self, place: TaskList) -> Iterator[CustomField]:
        """The fields that the tasks of a list have: its own, and those of folder, space and workspace."""
        homes = {self.id, *place.homes}
        return (one for one in self.fields.values() if one.home in homes)

    def add_field(self, name: str, kind: str, home: str, options: tuple[str, ...] = ()) -> CustomField:
        """Make a custom field at a place. Two of one name may stand side by side, as in ClickUp."""
        number = self.number("field")
        made = [Option(self.uuid("option", number, place), option) for place, option in enumerate(options)]
        one = CustomField(self.uuid("field", number), name, kind, home, made)
        self.fields[one.id] = one
        return one
