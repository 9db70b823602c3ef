"""Errors that a person reads. Each has a code, says what is wrong and where, and what helps; none carries a secret.

None names a command or a button: what helps is data (`domain.hints`), and the entry point words it.
"""

from __future__ import annotations

from typing import ClassVar

from enrichment_assets.domain.hints import Hint


class EnrichError(Exception):
    """Base of every error this platform raises on purpose.

    Attributes:
        code: A stable name for programs, like `batch.not_found`. Sentences may change, codes do not.
        what: What happened, as a sentence. Also `str(error)`.
        hints: What helps, likeliest first; empty where the sentence says it all.
    """

    default_code: ClassVar[str] = "refused"

    def __init__(self, what: str = "", *hints: Hint, code: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hints = hints
        self.code = code or self.default_code


class NotFoundError(EnrichError):
    """A client, upload, workflow, pipeline, batch or model that was named does not exist."""

    default_code = "not_found"


class ConfigurationError(EnrichError):
    """A registry row, pipeline, client config or environment variable cannot work as it is."""

    default_code = "configuration.invalid"


class MissingVariableError(ConfigurationError):
    """A variable that a workflow needs is not in this process's environment; `variable` is its name."""

    default_code = "configuration.variable_missing"

    def __init__(self, text: str, variable: str) -> None:
        super().__init__(text)
        self.variable = variable


class UploadRefusedError(EnrichError):
    """The whole file cannot be read (binary, a spreadsheet, empty); nothing was stored."""

    default_code = "upload.refused"


class InfrastructureError(EnrichError):
    """Ours to mend: the database is down, a disk is full. The run fails and loses nothing."""

    default_code = "infrastructure"


class ContractError(EnrichError):
    """A payload is not what its workflow says it is. The bytes are kept; the state becomes FAILED(contract)."""

    default_code = "provider.contract"


class ReportedError(ContractError):
    """The payload says itself that it is an error."""
