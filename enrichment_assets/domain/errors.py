"""Errors that a person reads. Each says what is wrong, where, and what to do; none carries a secret."""

from __future__ import annotations


class EnrichError(Exception):
    """Base of every error this platform raises on purpose. The CLI prints it as one line and exits with 1."""


class NotFoundError(EnrichError):
    """A client, upload, workflow, pipeline, batch or model that was named does not exist."""


class ConfigurationError(EnrichError):
    """A registry row, pipeline, client config or environment variable cannot work as it is."""


class MissingVariableError(ConfigurationError):
    """A variable that a workflow needs is not in this process's environment; `variable` is its name."""

    def __init__(self, text: str, variable: str) -> None:
        super().__init__(text)
        self.variable = variable


class UploadRefusedError(EnrichError):
    """The whole file cannot be read (binary, a spreadsheet, empty); nothing was stored."""


class InfrastructureError(EnrichError):
    """Ours to mend: the database is down, a disk is full. The run fails and loses nothing."""
