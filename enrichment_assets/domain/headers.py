"""Which uploaded column is which identity field, by its header and, where a header says too little, by its cells.

Headers are matched without case, accents, spaces or punctuation against `header_names.yaml`, which names the exporting
product of each. Nothing is renamed: the mapping stands beside the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.header_cells import are_company_names, are_forms_of_address, linkedin_field
from enrichment_assets.domain.header_names import HeaderNames, Order, fold, header_names

Samples = Sequence[Sequence[str]]
"""Per column, some of its cells that are not blank."""

_OF_A_PERSON = ("first_name", "last_name", "full_name", "title", "seniority")
_ASKED_NEXT = frozenset({"email", "phone"})
"""Fields whose fallbacks are asked too where a row has no value in the columns before."""
_ADDRESSES = ("company_website", "company_domain", "linkedin_url", "company_linkedin_url")


@dataclass(frozen=True, slots=True)
class HeaderField:
    """What a column means: an identity field, and its rank (0 first) among the columns of that field."""

    field: str
    rank: int


def map_headers(headers: Sequence[str], samples: Samples | None = None) -> list[HeaderField | None]:
    """The meaning of each header cell, in order; None for a column that is no identity field.

    `samples`: some cells of each column. A column `url` full of profile addresses is `linkedin_url`, not the company's
    web site; a `Title` of Dr. and Mr. is nobody's job. Without cells the headers alone decide.
    """
    return _Mapper(headers, samples or [()] * len(headers)).meanings()


class _Mapper:
    """One header line on its way to its meaning. `found`: field -> columns, the most wanted first."""

    def __init__(self, headers: Sequence[str], samples: Samples) -> None:
        self.names: HeaderNames = header_names()
        self.folded = [fold(header) for header in headers]
        self.samples = samples
        self.found: dict[str, list[int]] = {field: self._columns(order) for field, order in self.names.fields.items()}

    def meanings(self) -> list[HeaderField | None]:
        """Every rule in its turn; then the columns by position."""
        self._fall_back()
        self._read_addresses()
        about_companies = self._is_about_companies()
        self._name_either(about_companies)
        if about_companies:
            self._give_to_companies()
        of_person = any(self.found.get(field) for field in (*_OF_A_PERSON, "email"))
        id_field = "apollo_contact_id" if of_person else "apollo_account_id"
        self.found[id_field] = self.found[id_field] or self._columns(self.names.record_ids)
        self._choose_place()
        meanings: list[HeaderField | None] = [None] * len(self.folded)
        for field, columns in self.found.items():
            for rank, column in enumerate(columns):
                meanings[column] = HeaderField(field, rank)
        return meanings

    def _columns(self, order: Order) -> list[int]:
        """Positions of the columns with these names, in the order of the names, then of the file."""
        return sorted(
            (n for n, name in enumerate(self.folded) if name in order), key=lambda n: (order[self.folded[n]], n)
        )

    def _fall_back(self) -> None:
        for field, order in self.names.fallbacks.items():
            columns = self.found[field]
            if not columns or field in _ASKED_NEXT:
                columns = list(dict.fromkeys([*columns, *self._columns(order)]))
            if field == "title":
                columns = [n for n in columns if not are_forms_of_address(self.samples[n])]
            self.found[field] = columns

    def _read_addresses(self) -> None:
        """Put columns of web addresses where their cells belong: a profile, a company's page, or a site of its own."""
        vague = {*self.names.fallbacks["linkedin_url"], *self.names.fallbacks["company_website"]}
        columns = {n for field in _ADDRESSES for n in self.found[field]}
        columns.update(n for n, name in enumerate(self.folded) if name in vague)
        for column in sorted(columns):
            field = linkedin_field(self.samples[column])
            said = next((f for f in _ADDRESSES if column in self.found[f]), None)
            if field is None and said == "linkedin_url" and self.samples[column] and self.folded[column] in vague:
                self.found[said].remove(column)  # profiles of some other place
            if field is not None and field != said:
                if said is not None:
                    self.found[said].remove(column)
                self.found[field].append(column)

    def _is_about_companies(self) -> bool:
        """True for a list of companies: what is called `Name` or `Phone` there is the company's."""
        either = self._columns(self.names.names_of_either)
        if any(self.found[field] for field in _OF_A_PERSON):
            return False
        if self.found["company_name"] and (either or self.found["email"]):
            return False
        if any(name in self.names.certain_signs for name in self.folded):
            return True
        if either and are_company_names(cell for n in either for cell in self.samples[n]):
            return True
        if self.found["email"] or linkedin_field([c for n in self.found["linkedin_url"] for c in self.samples[n]]) == (
            "linkedin_url"
        ):
            return False
        likely = any(name in self.names.likely_signs for name in self.folded)
        return likely or any(self.found[f] for f in ("company_name", "company_linkedin_url"))

    def _name_either(self, about_companies: bool) -> None:
        """Say whose `Name` (`Nom`, `Nombre`) is: half a name beside its other half, the company's, or the person's."""
        for column in self._columns(self.names.names_of_either):
            half = next(
                (
                    one
                    for one in self.names.halves
                    if one.name == self.folded[column] and self._beside(one.beside, one.headers)
                ),
                None,
            )
            field = half.field if half else "company_name" if about_companies else "full_name"
            if not self.found[field]:
                self.found[field] = [column]

    def _beside(self, field: str, headers: frozenset[str]) -> bool:
        return any(self.folded[n] in headers for n in self.found[field])

    def _give_to_companies(self) -> None:
        for field, order in self.names.about_companies.items():
            columns = self._columns(order)
            for columns_of_field in self.found.values():
                columns_of_field[:] = [n for n in columns_of_field if n not in columns]
            self.found[field] += columns

    def _choose_place(self) -> None:
        """City, state and country of one address: the first kind that has a city or a country, else a state."""
        groups = [{field: self._columns(order) for field, order in group.items()} for group in self.names.places]
        chosen = next((g for g in groups if g["city"] or g["country"]), None) or next(
            (g for g in groups if g["state"]), {}
        )
        self.found.update(chosen)


def recognised(meanings: Iterable[HeaderField | None]) -> bool:
    """True when at least one column is an identity field."""
    return any(meaning is not None for meaning in meanings)
