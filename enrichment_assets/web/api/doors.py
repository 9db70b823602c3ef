"""Who asks: an API key, a session's cookie, or nobody; and how often they may.

Cookies are for browsers: `OriginGuard` stands before everything, so that no page of another site can use one. A request
with an `Authorization` header is judged by that alone.
"""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import Response

from enrichment_assets.domain.access import PERMISSIONS, Caller, Grant, Role
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.callers import caller_of, trusted_networks
from enrichment_assets.domain.pace import Pace
from enrichment_assets.services.access.api_keys import caller_of_key
from enrichment_assets.services.access.errors import TooOftenError
from enrichment_assets.services.access.logging_in import LoggedIn, caller_of_session
from enrichment_assets.services.access.paces import SharedPace
from enrichment_assets.services.access.signing import DEVICE_DAYS, SESSION_HOURS, Signing
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.errors import unauthenticated

SESSION, DEVICE = "enrich_session", "enrich_device"
PER_SECOND, BURST = 20.0, 200
"""Requests of one key or user: so many a second in the long run, and so many at once."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


DEVELOPER = Caller(Actor(ActorKind.USER, "developer"), (Grant(PERMISSIONS[Role.OWNER]),), "developer")
"""Who everybody is where nobody has to log in."""


class Doors:
    """Who asks, and their paces. One for each process."""

    def __init__(self, hq: Hq, settings: Settings, *, is_open: bool = False, workers: int = 1) -> None:
        """`is_open`: whoever shows no key is the owner, for development on a machine of one's own.

        `workers`: processes that answer together: they count known callers in HQ, and share the pace of strangers.

        Raises `ConfigurationError` for a trusted proxy or a session secret that is none.
        """
        self._everybody = DEVELOPER if is_open else None
        self.signing = Signing.of(settings)
        self._hq = hq
        self._trusted = trusted_networks(settings.trusted_proxies)
        self._callers = Pace(PER_SECOND, BURST) if workers == 1 else SharedPace(hq, PER_SECOND, BURST)
        self._strangers = Pace(1.0 / workers, max(60 // workers, 1))

    def address(self, request: Request) -> str:
        """The network that a request comes from."""
        peer = request.client.host if request.client else None
        return caller_of(peer, request.headers.getlist("x-forwarded-for"), self._trusted)

    def admit(self, request: Request) -> Caller:
        """Who asks. Raises the 401 of who is not known, and `TooOftenError`."""
        caller = self._known(request)
        if caller is None:
            self.admit_stranger(request)
            raise unauthenticated()
        if wait := self._callers.take(caller.identity):
            raise TooOftenError("too many requests of this key or user", wait, code="access.too_often")
        return caller

    def pace_of(self, caller: Caller) -> dict[str, str]:
        """How much more may come now, as headers (IETF draft "RateLimit header fields for HTTP", its older three)."""
        left, seconds = self._callers.left(caller.identity)
        return {
            "ratelimit-limit": str(BURST),
            "ratelimit-remaining": str(max(left, 0)),
            "ratelimit-reset": str(math.ceil(seconds)),
        }

    def admit_stranger(self, request: Request) -> None:
        """Count a request of somebody who is not known. Raises `TooOftenError`."""
        if wait := self._strangers.take(self.address(request)):
            raise TooOftenError(
                "too many requests of somebody who is not known", wait, code="access.strangers_too_often"
            )

    def _known(self, request: Request) -> Caller | None:
        said = request.headers.getlist("authorization")
        if said:
            scheme, _, key = said[0].partition(" ")
            return caller_of_key(self._hq, key.strip()) if len(said) == 1 and scheme.lower() == "bearer" else None
        if self._everybody is not None:
            return self._everybody
        session = request.cookies.get(SESSION, "")
        return caller_of_session(self._hq, self.signing, session) if session else None


def keep_session(request: Request, response: Response, made: LoggedIn) -> None:
    """Let the browser keep the session, and that it is a device of this user: for scripts neither can be read."""
    secure = request.url.hostname not in _LOOPBACK
    for name, value, seconds in (
        (SESSION, made.session, SESSION_HOURS * 3600),
        (DEVICE, made.device, DEVICE_DAYS * 86_400),
    ):
        response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict")


def forget_session(response: Response) -> None:
    """Let the browser forget the session; the device stays known."""
    response.delete_cookie(SESSION, path="/", httponly=True, samesite="strict")
