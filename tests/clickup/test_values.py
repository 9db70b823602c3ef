"""A lead's value in a custom field of ClickUp and back, and text of others in a description."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt

from enrichment_assets.domain.clickup.fields import RemoteField, Unfit, field_named, read, same, written
from enrichment_assets.domain.markdown import unformatted

OPTIONS = (("id-high", "high-end"), ("id-budget", "Budget"), ("id-both", "both"))


def field(kind: str, name: str = "Field", options: tuple[tuple[str, str], ...] = ()) -> RemoteField:
    return RemoteField("11111111-1111-4111-8111-111111111111", name, kind, options)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("short_text", " 40 ", "40"),
        ("text", 7.0, "7"),
        ("text", True, "true"),
        ("email", "Ann@Pines.example ", "ann@pines.example"),
        ("phone", "+1 (406) 555-0100", "+14065550100"),
        ("phone", "0044 20 7946 0018", "+442079460018"),
        ("url", "linkedin.com/in/ann", "https://linkedin.com/in/ann"),
        ("url", "http://pines.example/staff?x=1", "http://pines.example/staff?x=1"),
        ("number", "8", 8),
        ("number", "0.5", 0.5),
        ("currency", 1200, 1200),
        ("emoji", "4", 4),
        ("date", "2026-03-31", 1774958400000),  # noon UTC: the same day from Hawaii to Tokyo
        ("checkbox", "yes", True),
        ("drop_down", "BUDGET", "id-budget"),
        ("labels", "both, high-end, both", ["id-both", "id-high"]),
        ("labels", ["Budget"], ["id-budget"]),
        ("labels", [], None),
        ("short_text", "  ", None),
        ("drop_down", None, None),
    ],
)
def test_a_value_is_written_as_its_field_takes_it(kind: str, value: Any, expected: Any) -> None:
    assert written(field(kind, options=OPTIONS), value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("phone", "406 555 0100", "with its country"),  # guessing the country would make a wrong number
        ("phone", "+1 406", "with its country"),
        ("email", "ann at pines", "e-mail address"),
        ("url", "see the web site", "address of a page"),
        ("number", "about ten", "takes a number"),
        ("emoji", 9, "rating of 0 to 5"),
        ("date", "03/04/2026", "takes a date"),  # March or April: nobody knows
        ("checkbox", "maybe", "true or false"),
        ("drop_down", "luxury", "it has high-end, Budget, both"),
        ("labels", "both, luxury", "has no option for it"),
        ("short_text", {"a": 1}, "takes text"),
        ("formula", "8", "is not written"),
        ("users", "Ann", "is not written"),
    ],
)
def test_a_value_that_the_field_does_not_take_is_not_sent_and_says_why(kind: str, value: Any, says: str) -> None:
    with pytest.raises(Unfit, match=says) as caught:
        written(field(kind, options=OPTIONS), value)
    assert str(value) not in str(caught.value), "the reason quotes no data"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("drop_down", 1, "Budget"),  # GET: the option's place
        ("drop_down", "1", "Budget"),
        ("drop_down", "id-both", "both"),  # a webhook: its id
        ("drop_down", {"id": "id-both"}, "both"),
        ("drop_down", 7, None),  # an option that is gone
        ("drop_down", 0, "high-end"),
        ("labels", ["id-both", "id-budget"], "Budget, both"),
        ("number", "8", "8"),
        ("number", 8.0, "8"),
        ("number", "0.50", "0.5"),
        ("checkbox", None, None),  # a box that was never ticked may be null
        ("checkbox", "false", "false"),
        ("date", "1774958400000", "2026-03-31"),
        ("date", 1774958400000, "2026-03-31"),
        ("phone", " +1 406 555 0100 ", "+1 406 555 0100"),
        ("users", [{"id": 1}], None),
    ],
)
def test_what_is_shown_or_told_is_read_as_a_person_reads_it(kind: str, value: Any, expected: str | None) -> None:
    assert read(field(kind, options=OPTIONS), value) == expected


def test_two_spellings_of_one_value_are_the_same() -> None:
    assert same(field("phone"), "+1 (406) 555-0100", "+14065550100")
    assert same(field("drop_down"), "Budget", "budget")
    assert not same(field("short_text"), "Budget", "budget")
    assert not same(field("phone"), "+14065550100", None)
    assert same(field("email"), None, None)


def test_a_field_is_named_by_name_or_id_and_two_of_one_name_are_nobodys() -> None:
    phone, other = field("phone", "Phone"), RemoteField("22222222-2222-4222-8222-222222222222", "phone ", "short_text")
    assert field_named([phone, other], "Phone") is phone, "as it is written comes before whatever its case"
    assert field_named([phone, other], other.id.upper()) is other
    assert field_named([phone], "PHONE") is phone
    with pytest.raises(Unfit, match="2 fields `PHONE`"):
        field_named([phone, other], "PHONE")
    with pytest.raises(Unfit, match="no field `Fax`"):
        field_named([phone], "Fax")


def test_options_are_in_their_order_whatever_order_they_are_listed_in() -> None:
    listed = [{"id": "b", "name": "B", "orderindex": 1}, {"id": "a", "name": "A", "orderindex": 0}]
    shown = {"id": "1", "name": "S", "type": "drop_down", "type_config": {"options": listed}}
    assert read(RemoteField.of(shown), 0) == "A"


@pytest.mark.parametrize(
    "text",
    [
        "# Buy *now* [here](javascript:alert(1)) <b>x</b>",
        "- one\n1. two\n    code\n\tcode",
        "a_b_c ~~gone~~ `x` | y | ![i](http://x.example/i.png)",
        "Title\n=====\nand\n---\n+ plus\n> quote &lt;",
        "⛳ Par 72 – #1 in Montana!",
        "2) second\n10. tenth\nIn 2019. It closed",
    ],
)
def test_text_of_others_in_markdown_is_shown_as_it_is(text: str) -> None:
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(unformatted(text))
    for tag in (
        "<h1",
        "<h2",
        "<em",
        "<strong",
        "<a ",
        "<b>",
        "<ul",
        "<ol",
        "<code",
        "<pre",
        "<img",
        "<blockquote",
        "<s>",
    ):
        assert tag not in html, html
    shown = html.replace("<p>", "").replace("</p>", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert [line.strip() for line in shown.strip().splitlines()] == lines
