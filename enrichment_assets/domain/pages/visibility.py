"""What an element's own attributes say of whether it is seen: hidden, of no size, off the screen, white on white.

Style sheets are not read: what a class hides is taken for seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_HIDDEN = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|(?:^|;)opacity:(?:0|0?\.0\d*)(?:;|!|$)"
    r"|font-size:(?:[012](?:\.\d+)?px|0(?:\.\d+)?(?:pt|r?em|%)?|\.\d+px)(?:;|!|$)"
    r"|text-indent:-\d{3,}|(?:left|right|top|bottom|margin(?:-left|-top)?):-\d{4,}|clip:rect\(0|clip-path:inset\(100%"
    r"|(?:^|;)(?:max-)?(?:width|height):[01](?:px)?(?:;|!|$)|transform:scale\(0\)"
)
_LOOKS = frozenset(["style", "hidden", "color", "bgcolor"])
_COLOURS = re.compile(r"(?:^|;)(color|background(?:-color)?):([^;!]+)")
_WHITE = re.compile(
    r"(?:white|snow|ivory|#f[a-f]f[a-f]f[a-f](?:[0-9a-f]{2})?|#fff[0-9a-f]?|rgba?\(25[0-5],25[0-5],25[0-5](?:,[\d.]+)?\)|"
    r"transparent|rgba\(\d+,\d+,\d+,0?\.?0\))$"
)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What is known of the ground on which text stands.

    Attributes:
        colour: The colour that the innermost element with one gives it, as it is written; None: nobody says.
        may_be_styled: Whether an element around has a class or an id, by which a style sheet may give it any colour.
    """

    colour: str | None = None
    may_be_styled: bool = False

    def behind(self, attributes: Mapping[str, str | None]) -> Backdrop:
        """The ground of what is in an element."""
        is_styled = self.may_be_styled or "class" in attributes or "id" in attributes
        ground = _colours(attributes).get("background") if _has_looks(attributes) else None
        if ground is None and is_styled is self.may_be_styled:
            return self
        return Backdrop(ground or self.colour, is_styled)


def is_unseen(attributes: Mapping[str, str | None], around: Backdrop) -> bool:
    """Whether an element is not seen, by its own attributes and the ground that it stands on."""
    if not _has_looks(attributes):
        return False
    if "hidden" in attributes or _HIDDEN.search(_style(attributes)):
        return True
    colours = _colours(attributes)
    colour, ground = colours.get("color"), colours.get("background") or around.colour
    if colour is None:
        return False
    if ground is not None:
        return colour == ground or bool(_WHITE.match(colour) and _WHITE.match(ground))
    is_plain = not around.may_be_styled and "class" not in attributes and "id" not in attributes
    return is_plain and _WHITE.match(colour) is not None


def _has_looks(attributes: Mapping[str, str | None]) -> bool:
    """Whether an attribute says how the element looks: most have none that does."""
    return bool(attributes) and not _LOOKS.isdisjoint(attributes)


def _style(attributes: Mapping[str, str | None]) -> str:
    return re.sub(r"\s+|/\*.*?\*/", "", attributes.get("style") or "").lower()


def _colours(attributes: Mapping[str, str | None]) -> dict[str, str]:
    """The colours of text (`color`) and ground (`background`) that an element's attributes name."""
    named = {"color": attributes.get("color"), "background": attributes.get("bgcolor")}
    colours = {name: value.strip().lower() for name, value in named.items() if value}
    for name, value in _COLOURS.findall(_style(attributes)):
        colours[name.partition("-")[0]] = value
    return colours
