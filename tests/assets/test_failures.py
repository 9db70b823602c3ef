"""An exception that leaves an asset quotes no data, and still says where it happened."""

from __future__ import annotations

import traceback

import dagster as dg
import pytest

from enrichment_assets.assets.failures import SHOW_TEXT, UnexpectedError, texts_withheld
from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError

VALUE = "jane@example.com"


def look_up() -> str:
    return {"a": "b"}[VALUE]


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_the_text_of_an_unforeseen_exception_is_withheld_and_its_place_is_told() -> None:
    with pytest.raises(UnexpectedError, match=r"^KeyError\. Its text is withheld") as raised, texts_withheld():
        look_up()
    assert VALUE not in told(raised.value)
    assert "in look_up" in told(raised.value)


def test_an_error_of_ours_keeps_its_sentence_and_loses_the_text_of_its_cause() -> None:
    with pytest.raises(InfrastructureError, match=r"^The disk is full$") as raised, texts_withheld():
        try:
            look_up()
        except KeyError as error:
            raise InfrastructureError("The disk is full") from error
    assert VALUE not in told(raised.value)
    assert "in look_up" in told(raised.value)


def test_an_error_of_ours_while_another_is_handled_does_not_show_that_one() -> None:
    with pytest.raises(ConfigurationError) as raised, texts_withheld():
        try:
            look_up()
        except KeyError:
            raise ConfigurationError("It cannot work")  # noqa: B904 - the case that this is about
    assert VALUE not in told(raised.value)


def test_what_dagster_is_told_on_purpose_passes_as_it_is() -> None:
    with pytest.raises(dg.Failure) as raised, texts_withheld():
        raise dg.Failure("stopped", allow_retries=False)
    assert raised.value.allow_retries is False


def test_a_developer_can_have_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHOW_TEXT, "1")
    with pytest.raises(KeyError, match=VALUE), texts_withheld():
        look_up()
