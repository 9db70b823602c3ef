"""Charts as inline SVG: bars, paired bars and stacked bars. Numbers in, markup out; no data is fetched here.

Ink, faint text and track are the page's own colours (CSS variables), so that a chart is dark where the page is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 760
LABEL_WIDTH = 236
VALUE_WIDTH = 140
LABEL_CHARACTERS = 32
ROW = 30
BAR = 18
SHORTEST_BAR = 1.5
"""What is more than nothing is seen."""
INK = "var(--ink)"
FAINT = "var(--faint)"
TRACK = "var(--track)"
NOTHING = Markup('<p class="none">Nothing yet.</p>')

Legend = Sequence[tuple[str, str]]
"""Names and their colours."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar."""

    name: str
    value: float
    colour: str


@dataclass(frozen=True, slots=True)
class Row:
    """One bar: what it is called, its parts, and the text at its end."""

    label: str
    segments: Sequence[Segment]
    note: str


def bars(rows: Sequence[Row], *, full: float | None = None, about: str, legend: Legend = ()) -> Markup:
    """Horizontal bars, one a row, parts side by side; `full` fills the width (default: the largest value)."""
    if not rows:
        return NOTHING
    largest = full or max(sum(s.value for s in row.segments) for row in rows) or 1
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = [_bar_row(row, place * ROW, space, largest) for place, row in enumerate(rows)]
    return _legend(legend) + _svg(Markup("").join(parts), len(rows) * ROW, about)


def paired_bars(rows: Sequence[tuple[str, float, float, str]], *, legend: Legend, full: float, about: str) -> Markup:
    """Two values on one track: the first (before) drawn over the second (after), e.g. fill rates.

    `legend` names the two, in this order.
    """
    if not rows:
        return NOTHING
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    colours = [colour for _, colour in legend]
    parts = []
    for place, (label, before, after, note) in enumerate(rows):
        top = place * ROW
        parts.append(_text(LABEL_WIDTH - 12, top, label, anchor="end"))
        parts.append(_rect(LABEL_WIDTH, top, space, TRACK))
        for value, colour in zip((after, min(before, after)), reversed(colours), strict=True):
            if value > 0:
                parts.append(_rect(LABEL_WIDTH, top, space * value / full, colour, title=f"{label}: {note}"))
        parts.append(_text(LABEL_WIDTH + space + 10, top, note, colour=FAINT))
    return _legend(legend) + _svg(Markup("").join(parts), len(rows) * ROW, about)


def funnel(stages: Sequence[tuple[str, int, float]], *, colour: str, about: str) -> Markup:
    """Centred bars that narrow from stage to stage: (name, count, share of all)."""
    if not stages:
        return NOTHING
    largest = max(count for _, count, _ in stages) or 1
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = []
    for place, (name, count, share) in enumerate(stages):
        top = place * (ROW + 6)
        width = space * count / largest
        parts.append(_text(LABEL_WIDTH - 12, top, name, anchor="end"))
        middle = LABEL_WIDTH + (space - width) / 2
        if count:
            parts.append(_rect(middle, top, width, colour, title=f"{name}: {count}", opacity=1 - 0.11 * place))
        parts.append(_text(LABEL_WIDTH + space + 10, top, f"{count:,}  ({share:.0%})", colour=FAINT))
    return _svg(Markup("").join(parts), len(stages) * (ROW + 6), about)


def _legend(entries: Legend) -> Markup:
    """Coloured squares with names; nothing without entries."""
    if not entries:
        return Markup("")
    one: Callable[[str, str], Markup] = Markup('<span><i style="background:{}"></i>{}</span>').format
    return Markup('<div class="legend">{}</div>').format(Markup("").join(one(colour, name) for name, colour in entries))


def _bar_row(row: Row, top: int, space: int, largest: float) -> Markup:
    parts = [_text(LABEL_WIDTH - 12, top, row.label, anchor="end"), _rect(LABEL_WIDTH, top, space, TRACK)]
    left = float(LABEL_WIDTH)
    for segment in row.segments:
        width = space * segment.value / largest
        if width > 0:
            parts.append(_rect(left, top, width, segment.colour, title=f"{row.label}: {segment.name}"))
            left += width
    parts.append(_text(LABEL_WIDTH + space + 10, top, row.note, colour=FAINT))
    return Markup("").join(parts)


def _rect(x: float, top: float, width: float, colour: str, *, title: str = "", opacity: float = 1) -> Markup:
    shape = Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="3" style="fill:{}" opacity="{:.2f}">'
    ).format(x, top + (ROW - BAR) / 2, max(width, SHORTEST_BAR), BAR, colour, max(opacity, 0.35))
    return shape + Markup("<title>{}</title></rect>").format(title)


def _text(x: float, top: float, text: str, *, anchor: str = "start", colour: str = INK) -> Markup:
    """Text in a row; one that is too long is cut, and whole where the pointer rests."""
    shown, hint = text, Markup("")
    if len(text) > LABEL_CHARACTERS:
        shown, hint = text[: LABEL_CHARACTERS - 1] + "…", Markup("<title>{}</title>").format(text)
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" style="fill:{}">{}{}</text>').format(
        x, top + ROW / 2 + 4.5, anchor, colour, hint, shown
    )


def _svg(content: Markup, height: int, about: str) -> Markup:
    opening = Markup('<div class="wide"><svg viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return opening.format(WIDTH, height, escape(about)) + content + Markup("</svg></div>")
