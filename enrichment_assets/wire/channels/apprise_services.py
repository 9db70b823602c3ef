"""Every other service, through Apprise (`enrich[apprise]`): ntfy, Matrix, Telegram, Opsgenie ...; 140 of them by URL.

Apprise says whether it worked and nothing more, so a failure is tried again without knowing why, and it is the one that
decides about repeats. Its log, and urllib3's below it, have addresses with their keys at DEBUG: they are switched off.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence
from typing import Any

from enrichment_assets.domain.alerts.kinds import Action
from enrichment_assets.domain.alerts.notices import Fate, Notice, Said, text_of, title_of
from enrichment_assets.domain.errors import ConfigurationError

_LONGEST = 30_000


def check_apprise(value: str, variable: str) -> None:
    """See that a URL is one of Apprise's, for one service.

    Raises:
        ConfigurationError: Apprise is not installed, or does not know it.
    """
    if len(_services(value, variable)) != 1:
        raise ConfigurationError(f"{variable} holds no URL of one service that Apprise knows", code="alert.apprise_url")


def send_apprise(value: str, variable: str, notices: Sequence[Notice]) -> Said:
    """One message through a service of Apprise's."""
    services = _services(value, variable)
    over = all(notice.action is Action.RESOLVE for notice in notices)
    worked = services.notify(
        title=title_of(notices), body=text_of(notices, _LONGEST), notify_type="success" if over else "warning"
    )
    return Said(Fate.SENT, "taken") if worked else Said(Fate.UNSURE, "not taken; Apprise does not say why")


def _services(value: str, variable: str) -> Any:
    try:
        apprise = importlib.import_module("apprise")
    except ImportError:
        raise ConfigurationError(
            f"{variable} names a service of Apprise's: install enrichment-assets[apprise]", code="alert.no_apprise"
        ) from None
    logging.getLogger("apprise").disabled = True
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    asset = apprise.AppriseAsset(http_redirects=False)
    services = apprise.Apprise(asset=asset)
    services.add(value.strip())
    return services
