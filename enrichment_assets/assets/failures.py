"""What a failed run says in Dagster's event log, which everybody who sees the UI can read: never a value of a person.

Errors that this platform raises on purpose say what to do and name rows by number. The text of any other exception is
somebody else's: Postgres quotes the failing row, DuckDB the cell that it could not convert.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.store.database_errors import described

SHOW_TEXT = "ENRICH_SHOW_ERROR_TEXT"
"""Environment variable: `1` lets exceptions through as they are, for a developer's own data."""


class UnexpectedError(EnrichError):
    """An exception that nobody foresaw, told by its class and place; its text is withheld."""

    default_code = "unexpected"


@contextmanager
def values_withheld() -> Iterator[None]:
    """`texts_withheld` for an asset: what it says of a failure comes first in the UI, before Dagster's own words.

    Dagster wraps any other exception in one of its own, whose sentence and trace are what the run's page begins with.

    Raises:
        Failure: In place of an exception that is not Dagster's; its cause is ours, or `UnexpectedError`.
    """
    try:
        with texts_withheld():
            yield
    except EnrichError as error:
        raise dg.Failure(str(error)) from error


@contextmanager
def texts_withheld() -> Iterator[None]:
    """Exceptions leave this block without text that could quote data; their traceback (file, line, code) stays.

    Raises:
        UnexpectedError: In place of an exception that is neither ours nor Dagster's.
    """
    try:
        yield
    except (EnrichError, dg.Failure, dg.DagsterError) as error:
        if not _text_is_wanted():
            if error.__cause__ is not None:
                error.__cause__ = _without_text(error.__cause__)
            error.__suppress_context__ = True
        raise
    except Exception as error:
        if _text_is_wanted():
            raise
        raise _without_text(error) from None


def _text_is_wanted() -> bool:
    return os.environ.get(SHOW_TEXT) == "1"


def _without_text(error: BaseException) -> BaseException:
    """The same failure with its traceback and without its causes; one of ours keeps its sentence."""
    if isinstance(error, EnrichError):
        error.__cause__, error.__suppress_context__ = None, True
        return error
    told = f"{described(error)}. Its text is withheld, because it can quote data; {SHOW_TEXT}=1 shows it."
    return UnexpectedError(told).with_traceback(error.__traceback__)
