"""How pages look: the templates, and how values are written for people.

Every value is escaped, for much of it was scraped from somebody's web site. Pages load one style sheet and one script,
both our own, and nothing from anywhere else: the policy of `HEADERS` lets nothing more run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from enrichment_assets.domain.access import Caller, Permission
from enrichment_assets.domain.delivery_courses import reason_in_words
from enrichment_assets.domain.hints import Hint
from enrichment_assets.domain.money import Money
from enrichment_assets.services.operations.remedy_sentences import sentence

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
"""On every page: no script and no style but the files of `static`, nothing from elsewhere, in no frame."""

SAID: Mapping[str, str] = {
    "paused": "Paused: no call of it leaves until it is resumed.",
    "resumed": "Resumed.",
    "cancelled": "Cancelled: what was not sent is not sent any more.",
    "launched": "Launched.",
    "goes-on": "The pilot goes on with the rest of its rows.",
    "launched-before": "It was launched already; nothing was started twice.",
    "edited": "Corrected: your value counts, and nothing overwrites it.",
    "edited-later": "Corrected: your value counts. This page shows it when the tables of the batch are made next.",
    "edited-not-approved": "Your words are kept, and nobody has approved them yet: approve them now.",
    "approved": "Approved: exactly these bytes may leave.",
    "rejected": "Rejected.",
    "changed-meanwhile": "Nothing was decided: the draft has other words by now. Read it again.",
    "ordered": "It is on its way: the running platform takes them there, each once.",
    "pipeline-saved": "Saved for this client. Batches that were launched before keep what they were launched with.",
    "settings-saved": "Saved: batches that are launched from now on have it so.",
    "gate-saved": "Saved: whom a delivery may write to is judged by it from now on.",
    "profile-saved": "Saved: batches that are launched from now on are written by it.",
    "lead-taken": "Taken: it goes on by itself where the platform runs.",
    "lifted": "They may be asked about, and written to, again.",
    "source-on": "Rows are taken again from the next look on.",
    "source-off": "Paused: no more rows are taken; those under way go on.",
    "events-on": "It is read and asked again.",
    "events-off": "Paused: what its service posts is kept.",
    "webhook-on": "It is sent to again: what waited goes out.",
    "webhook-off": "Nothing is sent to it any more; what waits is kept.",
    "sent-again": "What did not arrive since then is sent again, with the next round.",
    "automation-on": "Switched on.",
    "automation-off": "Switched off: what it does waits until it is on again.",
    "alert-added": "Watched from the next look on.",
    "alert-removed": "Watched no more.",
    "erased": "Erased, and kept out from now on. This is the certificate.",
    "suppressed": "Nobody is asked about them any more, and nothing is sent to them.",
    "answered": "Answered: it is taken in with the next look.",
    "client-added": "Added. Upload a list of theirs next.",
    "budget-set": "The budget counts from now on; what waited for it goes on by itself.",
    "budget-removed": "Removed: what waited for it goes on by itself.",
    "organisation-decided": "Noted: it counts when the tables of one of the client's batches are made next.",
    "retried": "Asked again: what failed is pending.",
    "resolved": "Decided.",
    "asked": "They are asked with the next look at the batch.",
    "read-again": "Read again by the mapping of now; the tables are made anew.",
    "replayed": "They are read again with the next look.",
    "workflow-saved": "Saved. Batches that were launched before keep what they were launched with.",
    "workflow-on": "Switched on for every client.",
    "workflow-off": "Switched off for every client: new batches leave it out.",
    "access-changed": "Changed; it counts with the next request.",
    "key-revoked": "Revoked: it counts no more.",
    "mapped": "Read again with your columns: this is another upload of the same bytes.",
}
"""What a page says of what was just done."""

_LONGEST_CELL = 160
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@cache
def environment(*, as_data: bool = False) -> Environment:
    """The templates, compiled once for each process. `as_data`: values are written whole, for programs."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "count": lambda number: f"{number:,}",
        "money": _money,
        "time": _time,
        "ago": ago,
        "cell": cell,
        "short": short,
        "in_words": reason_in_words,
        "hint": _hint,
        "segment": lambda text: quote(str(text), safe=""),
        "query": query_string,
        "milliseconds": _milliseconds,
        "share": lambda part, whole: f"{part / whole:.0%}" if whole else "",
        "percent": lambda part, whole: f"{100 * part / whole:.1f}" if whole else "0",
    }
    if as_data:
        found.filters |= {
            "count": str,
            "time": _moment,
            "ago": _moment,
            "cell": lambda value: _moment(value) if isinstance(value, datetime) else _whole(value),
            "short": lambda text, longest=0: text,
            "milliseconds": lambda value: "" if value is None else str(value),
        }
    return found


def rendered(template: str, context: Mapping[str, Any], *, as_data: bool = False) -> str:
    """A template with what it sees."""
    return environment(as_data=as_data).get_template(template).render(**context)


def frame(caller: Caller | None, path: str, said: str | None) -> dict[str, Any]:
    """What every page sees: who looks, where they are, what they may go to, and what was just done."""
    return {
        "caller": caller,
        "path": path,
        "said": SAID.get(said or ""),
        "now": datetime.now(UTC),
        "may": lambda permission, client=None: caller is not None and caller.may(Permission(permission), client),
        "sees": lambda permission: (
            caller is not None and any(Permission(permission) in grant.permissions for grant in caller.grants)
        ),
    }


def cell(value: Any) -> str:
    """A value in a table: empty for none, yes and no, days and times as people write them."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return _time(value)
        case date():
            return value.isoformat()
        case Decimal() | int() | float():
            return f"{value:,}" if isinstance(value, int) and abs(value) >= 100_000 else str(value)
        case list() | tuple():
            return "\n".join(map(cell, value))
        case Mapping():
            return "\n".join(f"{name}: {cell(one)}" for name, one in value.items())
        case _:
            return str(value)


def _moment(moment: datetime | None) -> str:
    """A time for programs, to the second."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _whole(value: Any) -> str:
    """A value for programs: numbers without marks between their digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else cell(value)


def short(text: str, longest: int = _LONGEST_CELL) -> str:
    """The beginning of a text, on one line: the whole is somewhere else."""
    line = " ".join(text[: longest * 2].split())
    return line if len(line) <= longest and len(text) <= longest * 2 else f"{line[: longest - 1]}…"


def ago(moment: datetime | None) -> str:
    """`5 minutes ago`; empty for none."""
    if moment is None:
        return ""
    seconds = (datetime.now(UTC) - moment.astimezone(UTC)).total_seconds()
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= unit:
            number = int(seconds // unit)
            return f"{number} {name}{'' if number == 1 else 's'} ago"
    return "just now"


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _money(amount: Decimal | None, currency: str | None) -> str:
    return "" if amount is None else Money(amount, currency or "").shown()


def _milliseconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} ms" if value < 1_000 else f"{value / 1_000:,.1f} s"


def _hint(hint: Hint) -> str:
    return sentence(hint)


def query_string(pairs: Mapping[str, Any], **changed: Any) -> str:
    """A query string of these pairs, some of them changed; None leaves one out. A list stands several times."""
    merged = {**pairs, **changed}
    return urlencode(
        [(name, one) for name, value in merged.items() if value not in (None, "", []) for one in _each(value)]
    )


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
