"""Where `enrich up` writes down what `installation.running_stack` tells the other commands of its home.

Apart from the reading: every command reads, and what keys are called takes a second to load.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from enrichment_assets.domain.variables import may_be_secret
from enrichment_assets.installation.running_stack import SHARED, VARIABLES, WEBSERVER
from enrichment_assets.settings import Settings
from enrichment_assets.wire.secrets import allowed_names


@contextmanager
def addresses_told(settings: Settings, environment: Mapping[str, str], webserver: str = "") -> Iterator[None]:
    """While the block runs, `running_stack` of this home gives the shared variables of `environment`.

    `webserver`: base URL of Dagster's web server, which launches ask for their runs; none where there is none to ask.
    """
    path = settings.home / "up.json"
    told = {name: environment.get(name, "") for name in SHARED}
    path.write_text(json.dumps({**told, WEBSERVER: webserver, VARIABLES: _key_names(environment)}), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _key_names(environment: Mapping[str, str]) -> list[str]:
    """The variables that workflows may use as keys; their values are nobody's business."""
    allowed = allowed_names(environment)
    return sorted(name for name, value in environment.items() if value and may_be_secret(name, allowed))
