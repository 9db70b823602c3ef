"""What a client offers, to whom and in which words: the profile that prompts see as `client_profile.<name>`.

A profile is data that a person wrote: typed, bounded, and versioned in HQ (`store.catalog.profiles`). A batch runs by
the version of its launch. `None` and an empty list say that nothing was set.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from enrichment_assets.domain.emails import read_emails
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.model_errors import Lines, at_line, described, line_of

PROFILE = "client_profile"
"""What templates and conditions call it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _readable(text: str) -> str:
    if found := _CONTROL.search(text):
        raise ValueError(f"has a control character (U+{ord(found.group()):04X}): no reader and no model sees it")
    return text


def _listed(value: object) -> object:
    """A list that is not there is empty; a text is no list, and no comma in it is one of ours to split at."""
    if value is None:
        return []
    if isinstance(value, str):
        raise ValueError("is a list: write [one, another], also for a single one")
    return value


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _address(text: str) -> str:
    addresses = read_emails(text).addresses
    if len(addresses) != 1:
        raise ValueError("is not one e-mail address, as ada@acme.io")
    return addresses[0]


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(_readable)]
Paragraph = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000), AfterValidator(_readable)
]
Page = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000), AfterValidator(_readable)
]
OneLine = Annotated[Line | None, BeforeValidator(_blank_is_none)]
Several = Annotated[list[Paragraph], BeforeValidator(_listed)]
Text = Annotated[Page | None, BeforeValidator(_blank_is_none)]


class Sender(BaseModel):
    """Who writes: what stands below a mail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: OneLine = None
    title: OneLine = None
    company: OneLine = None
    email: Annotated[Annotated[Line, AfterValidator(_address)] | None, BeforeValidator(_blank_is_none)] = None


class ClientProfile(BaseModel):
    """One version of a profile, as its YAML file says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ideal_customer: Text = Field(default=None, description="which companies it is for, and which it is not for")
    personas: Several = Field(
        default_factory=list, max_length=20, description="who decides there, and what they care about; one each"
    )
    offer: Text = Field(default=None, description="what the client sells, and what it does for a customer")
    proof_points: Several = Field(
        default_factory=list, max_length=50, description="facts that may be claimed: numbers, customers, awards"
    )
    tone: Annotated[Paragraph | None, BeforeValidator(_blank_is_none)] = Field(
        default=None, description="how it is written"
    )
    sender: Sender | None = Field(default=None, description="who writes: name, title, company, email")
    never_say: Annotated[list[Line], BeforeValidator(_listed)] = Field(
        default_factory=list, max_length=100, description="words and promises that may not stand in a draft"
    )

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what it says: two equal profiles have one."""
        return hashlib.sha256(json.dumps(self.values(), sort_keys=True).encode()).hexdigest()

    def values(self) -> dict[str, Any]:
        """Every name with its value, as templates see them."""
        return self.model_dump(mode="json")


NAMES = tuple(ClientProfile.model_fields)
"""The members of `client_profile`."""

LISTS = frozenset(name for name, value in ClientProfile().values().items() if value == [])
"""Those that are lists of texts."""


class ProfileVersion(BaseModel):
    """The profile that a batch was launched with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1)
    content_hash: str
    profile: ClientProfile


def parsed_profile(values: object, where: str, lines: Lines | None = None) -> ClientProfile:
    """The profile that these values are.

    Args:
        values: A mapping of names to values.
        where: Whose it is, or which file's, for messages.
        lines: Of the file.

    Raises:
        ConfigurationError: Names every place that is wrong, with its line, and what was probably meant.
    """
    if not isinstance(values, Mapping):
        raise ConfigurationError(
            f"{where}: a profile is a mapping of names to values: {', '.join(NAMES)}", code="client_profile.no_mapping"
        )
    try:
        return ClientProfile.model_validate(dict(values))
    except ValidationError as error:
        faults = [
            f"{at_line('.'.join(map(str, place)), line_of(place, lines))}: {message}"
            for place, message in described(error, ClientProfile, lines)
        ]
        raise ConfigurationError(f"{where}, {'; '.join(faults)}", code="client_profile.invalid") from None


def with_values(profile: ClientProfile, values: Mapping[str, Any], where: str) -> ClientProfile:
    """The profile with some values changed; a null takes one out.

    Args:
        profile: As it is.
        values: Name or dotted path (`sender.name`) to value.
        where: Whose it is, for messages.

    Raises:
        ConfigurationError: As `parsed_profile`.
    """
    changed = profile.values()
    for path, value in values.items():
        name, _, member = path.partition(".")
        if member:
            inner = changed.get(name)
            changed[name] = {**(inner if isinstance(inner, Mapping) else {}), member: value}
        else:
            changed[name] = value
    if isinstance(changed.get("sender"), Mapping) and not any(changed["sender"].values()):
        changed["sender"] = None
    return parsed_profile(changed, where)


def not_set(profile: ClientProfile | None, names: Iterable[str]) -> list[str]:
    """Which of these names have no value that a prompt could use; an empty list is one, where there is a profile."""
    values = {} if profile is None else profile.values()
    return [name for name in dict.fromkeys(names) if not values.get(name) and (profile is None or name not in LISTS)]
