"""Charts as inline SVG: bars, paired bars and stacked bars. Numbers in, markup out; no data is fetched here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 760
LABEL_WIDTH = 210
VALUE_WIDTH = 130
ROW = 30
BAR = 18
INK = "#1f2937"
FAINT = "#6b7280"
TRACK = "#eef0f3"


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


def bars(rows: Sequence[Row], *, full: float | None = None, about: str) -> Markup:
    """Horizontal bars, one a row, parts side by side; `full` fills the width (default: the largest value)."""
    if not rows:
        return Markup('<p class="none">Nothing yet.</p>')
    largest = full or max(sum(s.value for s in row.segments) for row in rows) or 1
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = [_bar_row(row, place * ROW, space, largest) for place, row in enumerate(rows)]
    return _svg(Markup("").join(parts), len(rows) * ROW, about)


def paired_bars(
    rows: Sequence[tuple[str, float, float, str]], *, colours: tuple[str, str], full: float, about: str
) -> Markup:
    """Two values on one track: the first (before) drawn over the second (after), e.g. fill rates."""
    if not rows:
        return Markup('<p class="none">Nothing yet.</p>')
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = []
    for place, (label, before, after, note) in enumerate(rows):
        top = place * ROW
        parts.append(_text(LABEL_WIDTH - 12, top, label, anchor="end"))
        parts.append(_rect(LABEL_WIDTH, top, space, TRACK))
        parts.append(_rect(LABEL_WIDTH, top, space * after / full, colours[1], title=f"{label}: {note}"))
        parts.append(_rect(LABEL_WIDTH, top, space * min(before, after) / full, colours[0], title=f"{label}: {note}"))
        parts.append(_text(LABEL_WIDTH + space + 10, top, note, colour=FAINT))
    return _svg(Markup("").join(parts), len(rows) * ROW, about)


def funnel(stages: Sequence[tuple[str, int, float]], *, colour: str, about: str) -> Markup:
    """Centred bars that narrow from stage to stage: (name, count, share of all)."""
    if not stages:
        return Markup('<p class="none">Nothing yet.</p>')
    largest = max(count for _, count, _ in stages) or 1
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = []
    for place, (name, count, share) in enumerate(stages):
        top = place * (ROW + 6)
        width = space * count / largest
        parts.append(_text(LABEL_WIDTH - 12, top, name, anchor="end"))
        middle = LABEL_WIDTH + (space - max(width, 2)) / 2
        parts.append(_rect(middle, top, max(width, 2), colour, title=f"{name}: {count}", opacity=1 - 0.11 * place))
        parts.append(_text(LABEL_WIDTH + space + 10, top, f"{count:,}  ({share:.0%})", colour=FAINT))
    return _svg(Markup("").join(parts), len(stages) * (ROW + 6), about)


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Coloured squares with names."""
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
    shape = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="3" fill="{}" opacity="{:.2f}">').format(
        x, top + (ROW - BAR) / 2, max(width, 0), BAR, colour, max(opacity, 0.35)
    )
    return shape + Markup("<title>{}</title></rect>").format(title)


def _text(x: float, top: float, text: str, *, anchor: str = "start", colour: str = INK) -> Markup:
    shown = text if len(text) <= 30 else text[:29] + "…"
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}">{}</text>').format(
        x, top + ROW / 2 + 4.5, anchor, colour, shown
    )


def _svg(content: Markup, height: int, about: str) -> Markup:
    opening = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, height, escape(about))
    return opening + content + Markup("</svg>")
