"""What every part of a configuration is made of: a strict model, and names that SQL may have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

IDENTIFIER_PATTERN = r"^[a-z_][a-z0-9_]{0,62}$"
"""Names of SQL tables and columns that configuration may create."""

Identifier = Annotated[str, Field(pattern=IDENTIFIER_PATTERN)]


class Part(BaseModel):
    """A part of a configuration: a key that nobody knows is refused, and nothing changes it once it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)
