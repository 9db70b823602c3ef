"""Who may: users and API keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.domain import access
    from enrichment_assets.services.access import api_keys as key_services
    from enrichment_assets.services.access import second_factors, users
    from enrichment_assets.store.access import api_keys
    from enrichment_assets.store.access import users as stored


@dataclass(frozen=True, slots=True)
class UserRole(Shape):
    """What somebody is.

    Attributes:
        role: `owner`, `operator`, `reviewer` or `reader`.
        client: To which client; null: to all.
    """

    role: str
    client: str | None


@dataclass(frozen=True, slots=True)
class User(Shape):
    """Somebody who logs in.

    Attributes:
        login: Under which name; changes are written down as `user:<login>`.
        roles: What they are, for all clients first.
        has_password: A password is set; else they wait for it, with a one-time token.
        has_totp: An authenticator's code is asked for.
        disabled_at: Since when they are let in no more; null: they are.
        last_login_at: When they last logged in; null: never.
        created_at: When they were added.
    """

    login: str
    roles: tuple[UserRole, ...]
    has_password: bool
    has_totp: bool
    disabled_at: datetime | None
    last_login_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, found: stored.User) -> User:
        """From what the services return."""
        return cls(
            found.login,
            tuple(UserRole(role.value, client) for client, role in found.roles.items()),
            found.password_hash is not None,
            found.totp_step is not None,
            found.disabled_at,
            found.last_login_at,
            found.created_at,
        )


@dataclass(frozen=True, slots=True)
class UserChange(Shape):
    """A user was changed.

    Attributes:
        login: Who.
        changed: Whether it was otherwise before.
    """

    login: str
    changed: bool


@dataclass(frozen=True, slots=True)
class UserSetup(Shape):
    """A one-time token by which somebody sets their password.

    Attributes:
        login: Who.
        token: The token: it is shown once, and counts once.
        hours: How long it counts.
    """

    login: str
    token: str
    hours: float

    @classmethod
    def of(cls, made: users.Setup) -> UserSetup:
        """From what the services return."""
        return cls(made.login, made.token, made.hours)


@dataclass(frozen=True, slots=True)
class TotpSetup(Shape):
    """A new authenticator, which its first code confirms.

    Attributes:
        login: Whose.
        secret: For the authenticator, shown once: null once it is confirmed.
        address: The same as an `otpauth:` address, for a QR code.
        recovery_codes: Each stands in for a code of the authenticator once; shown once, when it is confirmed.
    """

    login: str
    secret: str | None
    address: str | None
    recovery_codes: tuple[str, ...]

    @classmethod
    def of(cls, made: second_factors.NewTotp) -> TotpSetup:
        """From what the services return."""
        return cls(made.login, made.secret, made.address, ())


@dataclass(frozen=True, slots=True)
class ApiKey(Shape):
    """A key of the HTTP API, without its secret.

    Attributes:
        name: Its name; changes are written down as `api-key:<name>`.
        prefix: The middle part of the key.
        client: For which client; null: for all.
        scopes: What it may, as `batches:read`.
        created_by: Who made it.
        created_at: When.
        expires_at: Until when it counts; null: for good.
        revoked_at: Since when it counts no more; null: it was not revoked.
        last_used_at: When it was last used, to five minutes; null: never.
        counts: Whether it counts now.
    """

    name: str
    prefix: str
    client: str | None
    scopes: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    counts: bool

    @classmethod
    def of(cls, found: api_keys.StoredKey) -> ApiKey:
        """From what the services return."""
        return cls(
            found.name,
            found.prefix,
            found.client,
            tuple(found.scopes),
            found.created_by,
            found.created_at,
            found.expires_at,
            found.revoked_at,
            found.last_used_at,
            not found.is_over,
        )


@dataclass(frozen=True, slots=True)
class NewApiKey(Shape):
    """A key that was made.

    Attributes:
        key: The key itself: it is shown once, and kept nowhere.
        made: What is kept of it.
    """

    key: str
    made: ApiKey = field(metadata=FLAT)

    @classmethod
    def of(cls, made: key_services.NewKey) -> NewApiKey:
        """From what the services return."""
        return cls(made.text, ApiKey.of(made.key))


@dataclass(frozen=True, slots=True)
class KeyChange(Shape):
    """A key was revoked.

    Attributes:
        name: Which one.
        changed: Whether it counted before.
    """

    name: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Granted(Shape):
    """What a caller may for a client.

    Attributes:
        client: Which one; null: all.
        permissions: As `batches:read`.
    """

    client: str | None
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caller(Shape):
    """Who asks.

    Attributes:
        actor: Under which name changes are written down, as `api-key:zapier`.
        grants: What it may.
    """

    actor: str
    grants: tuple[Granted, ...]

    @classmethod
    def of(cls, caller: access.Caller) -> Caller:
        """From what the services return."""
        grants = (Granted(one.client, tuple(sorted(one.permissions))) for one in caller.grants)
        return cls(str(caller.actor), tuple(grants))
