"""The United States as far as the small web needs them: where a state is, and how its numbers begin."""

from __future__ import annotations

import re
from typing import NamedTuple


class State(NamedTuple):
    """One state: its middle (degrees), an area code in use there, and the first three digits of postal codes."""

    name: str
    latitude: float
    longitude: float
    area: str
    zip3: str


def _states(table: str) -> dict[str, State]:
    rows = (line.strip().split("|") for line in table.strip().splitlines())
    return {code: State(name, float(lat), float(lon), area, zip3) for code, name, lat, lon, area, zip3 in rows}


STATES = _states(
    """
    AL|Alabama|32.8|-86.8|205|352
    AK|Alaska|61.2|-149.9|907|995
    AZ|Arizona|33.9|-111.7|602|850
    AR|Arkansas|34.8|-92.4|501|722
    CA|California|36.8|-119.4|213|900
    CO|Colorado|39.0|-105.5|303|802
    CT|Connecticut|41.6|-72.7|203|061
    DE|Delaware|39.0|-75.5|302|198
    DC|District of Columbia|38.9|-77.0|202|200
    FL|Florida|28.1|-81.7|305|331
    GA|Georgia|32.7|-83.4|404|303
    HI|Hawaii|20.8|-156.6|808|968
    ID|Idaho|43.8|-115.2|208|837
    IL|Illinois|40.0|-89.2|312|606
    IN|Indiana|39.9|-86.3|317|462
    IA|Iowa|42.0|-93.5|515|503
    KS|Kansas|38.5|-98.4|316|672
    KY|Kentucky|37.5|-85.3|502|402
    LA|Louisiana|31.0|-92.0|504|701
    ME|Maine|45.4|-69.2|207|041
    MD|Maryland|39.1|-76.8|301|212
    MA|Massachusetts|42.3|-71.8|617|021
    MI|Michigan|43.3|-84.7|313|482
    MN|Minnesota|45.7|-94.5|612|554
    MS|Mississippi|32.7|-89.7|601|392
    MO|Missouri|38.5|-92.5|314|631
    MT|Montana|47.0|-109.6|406|591
    NE|Nebraska|41.5|-99.8|402|681
    NV|Nevada|39.4|-116.6|702|891
    NH|New Hampshire|43.7|-71.6|603|031
    NJ|New Jersey|40.1|-74.7|201|071
    NM|New Mexico|34.4|-106.1|505|871
    NY|New York|42.9|-75.6|212|100
    NC|North Carolina|35.5|-79.4|704|282
    ND|North Dakota|47.4|-100.5|701|581
    OH|Ohio|40.3|-82.8|216|441
    OK|Oklahoma|35.6|-97.5|405|731
    OR|Oregon|43.9|-120.6|503|972
    PA|Pennsylvania|40.9|-77.8|215|191
    RI|Rhode Island|41.7|-71.6|401|029
    SC|South Carolina|33.9|-80.9|803|292
    SD|South Dakota|44.4|-100.2|605|571
    TN|Tennessee|35.9|-86.4|615|372
    TX|Texas|31.5|-99.3|512|787
    UT|Utah|39.3|-111.7|801|841
    VT|Vermont|44.1|-72.7|802|054
    VA|Virginia|37.5|-78.8|804|232
    WA|Washington|47.4|-120.4|206|981
    WV|West Virginia|38.6|-80.6|304|253
    WI|Wisconsin|44.6|-89.7|414|532
    WY|Wyoming|43.0|-107.5|307|820
    """
)
"""Postal code -> state, the District of Columbia among them."""

_BY_NAME = {state.name.casefold(): code for code, state in STATES.items()}
_NAMES = "|".join(sorted((re.escape(state.name) for state in STATES.values()), key=len, reverse=True))
STATE_WORD = rf"(?:(?i:{_NAMES})|{'|'.join(STATES)})"
"""A regular expression for a state: its name in any case, or its code in capitals."""


def state_code(text: str) -> str:
    """The postal code of a state that is written by its name or code; empty for none."""
    plain = " ".join(text.split()).strip(".,\"'")
    code = plain.upper() if len(plain) == 2 else _BY_NAME.get(plain.casefold(), "")
    return code if code in STATES else ""
