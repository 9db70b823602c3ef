"""Pages about golf courses: the association's list and its page of each, and the course's own site."""

from __future__ import annotations

from enrichment_assets.sandbox.companies import Company
from enrichment_assets.sandbox.web.courses import Course, association_host, company_of_course, courses_in, known_course
from enrichment_assets.sandbox.web.page import (
    Block,
    Card,
    Facts,
    Heading,
    Lines,
    Link,
    Links,
    Mailbox,
    Page,
    People,
    Text,
)
from enrichment_assets.sandbox.web.states import STATES
from enrichment_assets.sandbox.web.styles import FIRST, Style

PER_PAGE = 20


def association_page(seed: int, state: str, path: str, number: str, style: Style = FIRST) -> Page | None:
    """The page at a path of a state's golf association; None where there is none."""
    place = path.rstrip("/")
    if place in {"", "/courses"}:
        return _list(seed, state, style, int(number) if number.isdigit() else 1)
    folder, _, name = place.strip("/").partition("/")
    if f"/{folder}/" != style.listing.format(slug="") or not name or "/" in name:
        return None
    course = known_course(seed, state, name, style)
    return _listing(seed, course) if course.is_listed else None


def course_page(seed: int, course: Course, path: str) -> Page | None:
    """The page at a path of a course's own site; None where there is none."""
    company = company_of_course(seed, course)
    site = f"https://www.{course.host}"
    menu = Links(
        (Link("Home", f"{site}/"), Link("Course & rates", f"{site}/course"), Link("Staff", f"{site}/staff")),
        is_menu=True,
    )
    made = {"": _home, "/course": _details, "/staff": _staff}.get(path.rstrip("/"))
    if made is None:
        return None
    title, blocks = made(course, company)
    return Page(
        title,
        (menu, *blocks, Text(f"{course.name}, {_address(course, company)}, {company.phone}")),
        is_shell=course.site == "script-only",
    )


def cards_of_course(course: Course, company: Company, written: int | None = None) -> tuple[Card, ...]:
    """The course's people as a page has them, the first so many with their address (None: all of them)."""
    most = len(course.staff) if written is None else written
    return tuple(
        Card(
            f"{one.first_name} {one.last_name}",
            one.title,
            company.email_for(one.first_name, one.last_name) if number < most else "",
        )
        for number, one in enumerate(course.staff)
    )


def facts_of(course: Course) -> tuple[tuple[str, str], ...]:
    """What both sites say of a course."""
    stations = f"{course.range_stations} stations, {course.range_surface}"
    values = (
        str(course.holes),
        str(course.par),
        f"{course.yards:,}",
        course.access.capitalize(),
        f"Yes, {stations}" if course.range_stations else "No",
        f"${course.fee} weekdays, ${course.weekend_fee} weekends" if course.fee else "Members only",
        str(course.opened),
        course.architect,
    )
    return tuple(zip(course.style.course_labels, values, strict=True))


_Made = tuple[str, tuple[Block, ...]]


def _list(seed: int, state: str, style: Style, number: int) -> Page:
    courses, name = courses_in(seed, state, style), f"{STATES[state].name} Golf Association"
    shown = courses[(number - 1) * PER_PAGE : number * PER_PAGE]
    links: list[Block] = [Links(tuple(Link(f"{course.name}, {course.city}", course.listing) for course in shown))]
    if number * PER_PAGE < len(courses):
        links.append(
            Links((Link("Next page", f"https://www.{association_host(state, style)}/courses?page={number + 1}"),))
        )
    return Page(f"Member courses | {name}", (Heading(name, 1), Text(f"{len(courses)} member courses."), *links))


def _listing(seed: int, course: Course) -> Page:
    company, host = company_of_course(seed, course), association_host(course.state, course.style)
    name = f"{STATES[course.state].name} Golf Association"
    menu = (Link(name, f"https://www.{host}/"), Link("All courses", f"https://www.{host}/courses"))
    website = (Links((Link("Website", f"https://www.{course.host}/"),)),) if course.site != "none" else ()
    return Page(
        f"{course.name} | {name}",
        (
            Links(menu, is_menu=True),
            Heading(course.name, 1),
            Text(_address(course, company)),
            Text(f"Phone: {company.phone}"),
            Text(company.description),
            *website,
            Heading("Course facts"),
            Facts(facts_of(course), is_table=course.layout != "lines"),
            Heading("Staff"),
            People(cards_of_course(course, company, course.written), _layout(course), course.mails),
            Heading("The association"),
            Mailbox("Questions about handicaps:", f"handicaps@{host}"),
        ),
    )


def _home(course: Course, company: Company) -> _Made:
    length = f"it plays {course.yards:,} yards to a par of {course.par}"
    who = "Only members and their guests play here." if course.fee is None else "Book a tee time: everybody may play."
    return f"{course.name} | {course.city}, {course.state}", (
        Heading(course.name, 1),
        Text(company.description),
        Text(f"Opened in {course.opened}, designed by {course.architect}, {length}."),
        Text(who),
        Mailbox("Pro shop:", f"proshop@{course.host}"),
    )


def _details(course: Course, company: Company) -> _Made:
    return f"The course | {course.name}", (
        Heading("The course", 1),
        Facts(facts_of(course), is_table=course.layout in {"table", "cards"}),
        Lines(("Carts", "Pro shop", "Grill room")),
    )


def _staff(course: Course, company: Company) -> _Made:
    if course.site == "no-people":
        return f"Staff | {course.name}", (Heading("Staff", 1), Text("Ask for us in the pro shop."))
    return f"Staff | {course.name}", (
        Heading("Staff", 1),
        People(cards_of_course(course, company), course.layout, course.mails),
    )


def _layout(course: Course) -> str:
    """How the association lays people out: the first web's in a table, the second's as the course does."""
    return "table" if course.style is FIRST else course.layout


def _address(course: Course, company: Company) -> str:
    return f"{company.street}, {course.city}, {course.state} {company.postal_code}"
