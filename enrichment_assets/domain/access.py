"""Who may do what: roles of users, scopes of API keys, and the question whether a caller may.

A permission is `noun:verb`. A user has roles, a key has permissions (its scopes), each of them for one client or for
all. Whatever is not granted is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from enrichment_assets.domain.actors import Actor


class Permission(StrEnum):
    """What may be done. The word stays: it stands in keys."""

    BATCHES_READ = "batches:read"
    """See batches, and where they stand."""
    BATCHES_CONTROL = "batches:control"
    """Pause, resume and cancel batches, retry what failed, and decide about calls of unknown fate."""
    BATCHES_LAUNCH = "batches:launch"
    """Send an upload through a pipeline, which spends money."""
    CLIENTS_READ = "clients:read"
    """See a client's pipelines, configuration and budgets."""
    CLIENTS_EDIT = "clients:edit"
    """Add clients, and say what they may spend."""
    UPLOADS_READ = "uploads:read"
    """See uploads, and what was understood of them."""
    UPLOADS_WRITE = "uploads:write"
    """Bring files in."""
    LEADS_READ = "leads:read"
    """See leads, which are persons."""
    LEADS_EDIT = "leads:edit"
    """Correct values of leads."""
    REVIEWS_READ = "reviews:read"
    """See drafts that wait for a person."""
    REVIEWS_DECIDE = "reviews:decide"
    """Approve, reject and edit them: what is approved may leave."""
    DELIVERIES_SEND = "deliveries:send"
    """Have leads delivered: what leaves cannot be called back."""
    PULLS_READ = "pulls:read"
    """See figures that were fetched from outside services, as campaigns."""
    PULLS_SYNC = "pulls:sync"
    """Have them fetched."""
    WORKFLOWS_READ = "workflows:read"
    """See the registry: what there is, what it costs and finds."""
    WORKFLOWS_EDIT = "workflows:edit"
    """Add, change and switch workflows, which all clients share: for all clients only."""
    PERSONS_ERASE = "persons:erase"
    """Find where a person stands, and erase them, which cannot be taken back: for people only."""
    AUDIT_READ = "audit:read"
    """See who changed what."""
    ACCESS_READ = "access:read"
    """See users and keys; for all clients only."""
    ACCESS_EDIT = "access:edit"
    """Add users and keys and take them away; for all clients only."""


class Role(StrEnum):
    """What somebody is to a client, or to all of them."""

    OWNER = "owner"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    READER = "reader"


_READER = frozenset(
    {
        Permission.BATCHES_READ,
        Permission.CLIENTS_READ,
        Permission.LEADS_READ,
        Permission.PULLS_READ,
        Permission.REVIEWS_READ,
        Permission.UPLOADS_READ,
        Permission.WORKFLOWS_READ,
    }
)
_REVIEWER = _READER | {Permission.LEADS_EDIT, Permission.REVIEWS_DECIDE}
_OPERATOR = _REVIEWER | {
    Permission.BATCHES_CONTROL,
    Permission.BATCHES_LAUNCH,
    Permission.DELIVERIES_SEND,
    Permission.UPLOADS_WRITE,
    Permission.PULLS_SYNC,
    Permission.CLIENTS_EDIT,
    Permission.WORKFLOWS_EDIT,
    Permission.AUDIT_READ,
}
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: _OPERATOR | {Permission.PERSONS_ERASE, Permission.ACCESS_READ, Permission.ACCESS_EDIT},
    Role.OPERATOR: _OPERATOR,
    Role.REVIEWER: _REVIEWER,
    Role.READER: _READER,
}
"""What a role grants; each role may what the ones below it may."""

SCOPES = frozenset(Permission) - {Permission.PERSONS_ERASE, Permission.ACCESS_READ, Permission.ACCESS_EDIT}
"""What a key may be given: a key that leaks must not tell who else has access, nor give any, nor erase anybody."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may for a client; `client` None: for all of them, and for what belongs to no client."""

    permissions: frozenset[Permission]
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, known by key or by login.

    Attributes:
        actor: Under which name changes are written down.
        grants: What it may.
        identity: What its pace is counted by.
    """

    actor: Actor
    grants: tuple[Grant, ...]
    identity: str

    def may(self, permission: Permission, client: str | None) -> bool:
        """Whether it may do that for a client; None: for all clients, or for what belongs to none."""
        return any(
            permission in grant.permissions and (grant.client is None or grant.client == client)
            for grant in self.grants
        )

    def clients(self) -> frozenset[str] | None:
        """The clients whom it may see anything of; None: all."""
        if any(grant.client is None and grant.permissions for grant in self.grants):
            return None
        return frozenset(grant.client for grant in self.grants if grant.client is not None and grant.permissions)

    def sees(self, client: str) -> bool:
        """Whether it may know that there is this client."""
        seen = self.clients()
        return seen is None or client in seen

    def only_client(self, permission: Permission) -> str | None:
        """The client for whom alone it may do that; None: for none, for several, or for all."""
        granted = [grant.client for grant in self.grants if permission in grant.permissions]
        return granted[0] if len(set(granted)) == 1 else None
