"""Why somebody is not let in. What helps a guesser is in none of these."""

from __future__ import annotations

from typing import ClassVar

from enrichment_assets.domain.errors import EnrichError


class LoginRefusedError(EnrichError):
    """The login, the password or the code is wrong, or the user is disabled: it is not said which."""

    default_code = "login.refused"


class CodeNeededError(EnrichError):
    """The password is right, and the user has an authenticator: its code is missing."""

    default_code = "login.code_needed"


class TooOftenError(EnrichError):
    """Too many guesses, or requests; `seconds` after which the next one may come."""

    default_code: ClassVar[str] = "login.too_often"

    def __init__(self, what: str, seconds: float, *, code: str | None = None) -> None:
        super().__init__(what, code=code)
        self.seconds = seconds
