"""What a batch's key may look like. It is Dagster's partition key too, and part of file names and commands."""

from __future__ import annotations

import re

from enrichment_assets.domain.errors import ConfigurationError

_KEY = re.compile(r"(?!.*\.\.)[a-z0-9](?:[a-z0-9._-]{0,198}[a-z0-9_-])?")


def checked_batch_key(text: str) -> str:
    """The key, if it is one: `acme-1-apollo-basic-1`.

    Commas and spaces separate keys in Dagster, and `a...b` is a range of partitions (`--partition-range`): two dots in
    a row, or one at the end, could be read as part of a range.

    Raises:
        ConfigurationError: It is none; says what one looks like.
    """
    if not _KEY.fullmatch(text):
        raise ConfigurationError(
            f"{text!r} is not a batch key: lower-case letters, digits, hyphens, underscores and single dots inside, "
            "at most 200",
            code="batch.key_invalid",
        )
    return text
