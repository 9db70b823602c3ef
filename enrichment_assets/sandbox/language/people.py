"""Who works somewhere, as a page says it: a name that begins a line, with a title beside or below it.

    - Amelia Dubois, Founding Partner amelia@acme.com        Amelia Dubois | Founding Partner
    ### Amelia Dubois                                        Amelia Dubois is our Founding Partner.
    Founding Partner                                         Founding Partner: Amelia Dubois

Who is named in the middle of a sentence, an author or a customer, is nobody's staff. It knows titles by their words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from enrichment_assets.domain.written_contacts import emails_in

_TITLE_WORDS = frozenset(
    """
    accountant adviser advisor advisors agent analyst assistant associate auditor bookkeeper broker ceo cfo
    chair chairman chairwoman chef chief cio clerk cmo cofounder co-founder concierge consultant controller coo
    coordinator counsel cpa cto developer director engineer executive founder greenskeeper head instructor lead
    leader manager member officer owner partner planner platform president principal pro producer professional
    realtor receptionist recruiter representative secretary specialist starter superintendent supervisor teller
    trader treasurer trustee underwriter vp berater beraterin buchhalter buchhalterin geschäftsführer
    geschäftsführerin inhaber inhaberin leiter leiterin makler maklerin partnerin sekretärin vorstand associé
    associée comptable conseiller conseillère courtier directeur directrice fondateur fondatrice gérant gérante
    présidente président responsable asesor asesora contador contadora corredor directora fundador fundadora
    gerente presidenta presidente socia socio
    """.split()  # noqa: SIM905
)
_TITLE_STARTS = frozenset(
    """
    account agency assistant associate audit benefits board broker-owner business certified chief claims client
    co-founder commercial co-managing compliance credit deputy director events executive field finance financial
    food founding funding general golf greens group head investment junior lead leasing managing marketing
    membership office operations payroll personal portfolio principal pro property regional sales senior staff
    tax transaction venture vice vp wealth leitende leitender stellvertretende stellvertretender directeur
    directrice responsable
    """.split()  # noqa: SIM905
)
"""Words that a title begins with, besides those that it can end in."""

_PAGE_WORDS = frozenset(
    """
    about address all book call careers client clients club company compare contact course e-mail email facts
    find follow golf home join learn list meet menu name news office our people phone questions read related
    search services staff team the visit we website welcome what who with write your founded opened from by most
    two driving green par yards holes type
    """.split()  # noqa: SIM905
)
_NO_NAME = _PAGE_WORDS | _TITLE_WORDS | _TITLE_STARTS
_WORD = r"[^\W\d_][^\W\d_]*(?:[.'’-][^\W\d_]+)*\.?"
_MARKS = re.compile(r"^[\s|>*#:-]*(?:\d+\.\s+)?|\*\*|__")
_SENTENCE = re.compile(
    r"^(?P<name>.+?) (?:is|serves as|works as|joined us as|ist|arbeitet als|est|travaille comme|es|trabaja como) "
    r"(?:our |the |an? |unsere?r? |notre |le |la |nuestr[oa] |el )?(?P<title>[^.]+)\."
)
_BEHIND = re.compile(r"^(?P<title>[^:]{3,60}): (?P<name>[^:,|]{5,40}?)(?=$|[,|(]| - | [\w.+-]+@)")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d ()./-]{6,20}\d(?![\w])")
_PROFILE = re.compile(r"https?://[^\s)\]]*linkedin\.com/in/[^\s)\]]+")
_LINK = re.compile(r"\[([^\]]*)\]\((?:mailto:)?([^)\s]*)\)")
_END = re.compile(r"\s*(?:\||–|—|\s-\s|\(|\[|;)\s*|\s+(?=\S+@\S)|\s+(?=\S+ ?[\[(](?:at|@)[\])])|\s+(?=\+?\(?\d{3})")
"""Where a title ends: at a sign, an address or a number."""

_HEAD = re.compile(r"\s*(?:[,|–—(]|\s-\s)\s*")
"""What can stand between a name and what follows it."""

_LETTERS = re.compile(r"(?:(?:CFP|CFA|CPA|MBA|PGA|CLU|ChFC|Esq|J\.?D|Ph\.?D|EA|CIC)[®.]?(?:,\s*)?)+")
"""Letters behind a name."""

_REACH = 4
"""Lines below a name that can be about the same person."""

_HEADING = re.compile(r"^(?=#)", re.MULTILINE)
_BREAK = "~~~\n"
"""A line before each heading, where what is about somebody ends."""

_SAID = re.compile(r"\b(?:is|was|were|has|have|are|will|says|said|serves|offers)\b")
"""Verbs: a sentence is no title."""

_ADDRESS = re.compile(r",.*\b\d{5}\b")
"""Where somebody is: the foot of a page."""

_LABELS = re.compile(r"\b(?:e-?mail|mail|write|to|phone|tel|call|linkedin|courriel|correo|telefon|telefono)\b\W*", re.I)
_MOST_BESIDE = 12
"""Characters that can stand beside an address or a number on a line of its own."""


@dataclass(frozen=True, slots=True)
class Someone:
    """One of the people on a page; what is not said is empty."""

    name: str
    title: str = ""
    email: str = ""
    phone: str = ""
    profile: str = ""


def people_in(text: str) -> list[Someone]:
    """Everybody whom a text names with a title, in its order, each name once."""
    lines = [line for line in (_plain(line) for line in _HEADING.sub(_BREAK, text).splitlines()) if line]
    found: dict[str, Someone] = {}
    beside = _above if _stand_above(lines) else _below
    begun = ((number, _begun(lines, number, beside)) for number in range(len(lines)))
    starts = {number: one for number, one in begun if one is not None}
    for number, one in starts.items():
        about = [lines[number]]
        for below in range(number + 1, min(number + 1 + _REACH, len(lines))):
            if below in starts or lines[below] == _BREAK.strip() or not _is_about(one, lines[below]):
                break
            about.append(lines[below])
        found.setdefault(one.name, _reached(one, about))
    return list(found.values())


def _is_about(one: Someone, line: str) -> bool:
    """Whether a line below a name is about the same person: their title, or nothing but how to reach them."""
    rest = _LABELS.sub("", _PROFILE.sub("", line))
    for found in sorted(emails_in(rest), key=lambda found: -found.start):
        rest = rest[: found.start] + rest[found.end :]
    return line == one.title or len(_PHONE.sub("", rest)) <= _MOST_BESIDE


def _begun(lines: list[str], number: int, beside: Callable[[list[str], int], str]) -> Someone | None:
    """The person with whom a line begins; `beside` gives the title of one who is alone on it."""
    line = lines[number]
    if _ADDRESS.search(line):
        return None
    if said := _SENTENCE.match(line):
        name, title = said["name"], said["title"]
        return Someone(name, title) if _is_name(name.split()) and _is_title(title) else None
    if said := _BEHIND.match(line):
        name, title = said["name"].strip(), said["title"]
        if _is_title(title) and _is_name(name.split()):
            return Someone(name, title)
    head = _HEAD.split(line, 1)
    words = head[0].split()
    inside = next((place for place in range(2, len(words)) if _begins_title(words, place)), len(words))
    name_words = words[:inside]
    is_heading = number > 0 and lines[number - 1] == _BREAK.strip()
    if not _is_name(name_words) or (is_heading and inside < len(words)):
        return None  # a heading that goes on is a company's: Umber Silver Wealth Advisors
    rest = " ".join(words[inside:]) or (head[1] if len(head) > 1 else "")
    title = _title_of(rest) or ("" if rest and not _LETTERS.fullmatch(rest) else beside(lines, number))
    return Someone(" ".join(name_words), title) if title else None


def _stand_above(lines: list[str]) -> bool:
    """Whether titles stand above names in a text: above more of them than below."""
    alone = [number for number, line in enumerate(lines) if _is_name(_HEAD.split(line, 1)[0].split())]
    return sum(bool(_above(lines, number)) for number in alone) > sum(bool(_below(lines, number)) for number in alone)


def _below(lines: list[str], number: int) -> str:
    """The title that the line below begins with."""
    below = lines[number + 1] if number + 1 < len(lines) else ""
    return "" if _ADDRESS.search(below) else _title_of(below)


def _above(lines: list[str], number: int) -> str:
    """The title that is the line above, over a heading's beginning."""
    above = [line for line in lines[max(0, number - 2) : number] if line != _BREAK.strip()]
    return _alone(above[-1]) if above else ""


def _alone(line: str) -> str:
    """A title that is a whole line."""
    title = _title_of(line)
    return title if title == line else ""


def _reached(one: Someone, about: list[str]) -> Someone:
    """The person with the address, the number and the profile in the lines about them."""
    said = "\n".join(about)
    email = min(((found.start, found.value) for found in emails_in(said)), default=(0, ""))[1]
    numbers = (found.group().strip() for found in _PHONE.finditer(said))
    phone = next((number for number in numbers if sum(map(str.isdigit, number)) >= 7), "")
    return replace(one, email=email, phone=phone, profile=next(iter(_PROFILE.findall(said)), ""))


def _title_of(text: str) -> str:
    """The title that a text begins with, without what follows it; empty: it is none."""
    cut = re.split(
        r"\s*(?:\||–|—|\s-\s|\(|\[|;)\s*|\s+(?=\S+@\S)|\s+(?=\S+ ?[\[(](?:at|@)[\])])|\s+(?=\+?\(?\d{3})",
        text,
        maxsplit=1,
    )
    title = re.sub(r"\s+(?:E-?mail|Mail|Write|LinkedIn|Call|Courriel|Correo)\b.*$", "", cut[0]).strip(" ,.:")
    return title if _is_title(title) else ""


def _is_title(text: str) -> bool:
    if _SAID.search(text):
        return False
    words = re.findall(r"[^\W\d_][\w'’-]*", text)
    return (
        1 <= len(words) <= 7
        and len(text) <= 80
        and any(part in _TITLE_WORDS for word in words for part in (word.casefold(), *word.casefold().split("-")))
    )


def _begins_title(words: list[str], place: int) -> bool:
    word = words[place].strip(",.").casefold()
    return word in _TITLE_STARTS or word in _TITLE_WORDS


def _is_name(words: list[str]) -> bool:
    """Two to four words of letters, with capitals; none of them is a word that pages say."""
    if not 2 <= len(words) <= 4 or not all(re.fullmatch(_WORD, word) for word in words):
        return False
    if any(word.casefold().strip(".") in _NO_NAME for word in words):
        return False
    return words[0][0].isupper() and words[-1][0].isupper()


def _plain(line: str) -> str:
    """A line without marks of Markdown: of a link its text, and behind it its target."""
    cells = re.sub(r"^\s*\|\s*|\s*\|\s*$", "", line)
    linked = _LINK.sub(lambda found: f"{found[1]} {found[2]}" if found[1] != found[2] else found[1], cells)
    return " ".join(_MARKS.sub("", linked).split())
