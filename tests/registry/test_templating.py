"""Requests rendered for items: types kept, blanks left out, and nothing that a cell can do to the address."""

from __future__ import annotations

import timeit
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.provider import RenderedRequest, SecretPlace
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.wire.secrets import fill_secrets


def renderer(request: dict[str, Any]) -> RequestRenderer:
    return RequestRenderer(
        WorkflowDefinition(
            slug="a-step",
            title="A",
            step=1,
            provider="http",
            operation="x",
            mode="sync",
            request={"url": "/v1", **request},
        )
    )


def render(request: dict[str, Any], **context: Any) -> RenderedRequest:
    return renderer(request).render(context)


def body(template: Any, **context: Any) -> Any:
    return orjson.loads(render({"body": template}, **context).content or b"null")


@pytest.mark.parametrize("value", ["007", "true", "null", "1e5", "[1]", "2026-01-31", 12, 1.5, True, ["a"], {"b": 1}])
def test_a_value_that_is_one_expression_keeps_its_type(value: Any) -> None:
    assert body({"x": "{{ cell }}"}, cell=value) == {"x": value}


def test_text_around_an_expression_makes_it_text() -> None:
    template = {"x": "a {{ n }} {{ yes }} {{ list }} {{ nothing }}."}
    assert body(template, n=7, yes=True, list=[1, "b"]) == {"x": 'a 7 true [1,"b"] .'}


def test_blank_members_are_left_out_at_every_depth_and_elements_keep_their_places() -> None:
    template = {"a": "{{ none }}", "b": "", "c": {"d": "{{ empty }}", "e": False, "f": 0}, "g": ["{{ none }}", 1]}
    assert body(template, empty="") == {"c": {"e": False, "f": 0}, "g": [None, 1]}


def test_blank_query_parameters_and_headers_are_left_out() -> None:
    rendered = render(
        {"query": {"a": "{{ x }}", "b": "{{ y }}", "c": True, "d": 5}, "headers": {"x-a": "{{ x }}", "x-b": "{{ y }}"}},
        y="1",
    )
    assert rendered.query == {"b": "1", "c": "true", "d": "5"}
    assert rendered.headers == {"x-b": "1"}


def test_fields_original_item_and_parameters_are_seen() -> None:
    template = {
        "a": "{{ original['Weird, Column'] }}",
        "b": "{{ item.id }}",
        "c": "{{ parameters.deep.x }}",
        "d": "{{ a.b.c }}",
    }
    context = {"original": {"Weird, Column": "v"}, "item": {"id": 9}, "parameters": {"deep": {"x": [1]}}}
    assert body(template, **context) == {"a": "v", "b": 9, "c": [1]}


def test_conditions_and_filters_work() -> None:
    template = {"x": "{{ first_name|upper }}", "y": "{% if n %}yes{% endif %}", "z": "{{ none if n else 'no' }}"}
    assert body(template, first_name="ann", n=1) == {"x": "ANN", "y": "yes"}


def test_a_form_body_is_encoded_and_a_text_body_is_text() -> None:
    form = render({"body": {"a": "{{ x }}", "b": "{{ none }}"}, "body_format": "form"}, x="ä &=")
    assert (form.content, form.headers["content-type"]) == (b"a=%C3%A4+%26%3D", "application/x-www-form-urlencoded")
    text = render({"body": "Hi {{ x }}", "body_format": "text"}, x="Ann")
    assert (text.content, text.headers["content-type"]) == (b"Hi Ann", "text/plain; charset=utf-8")


def test_a_content_type_of_the_template_is_kept() -> None:
    rendered = render({"body": {"a": 1}, "headers": {"Content-Type": "application/vnd.x+json"}})
    assert rendered.headers == {"Content-Type": "application/vnd.x+json"}


HOSTILE = [
    "../../admin",
    "a/b",
    "a?key=1",
    "a#b",
    "@evil.com",
    "evil.com/",
    "a%2f..%2fb",
    "x\r\nHost: evil",
    "a\\b",
    "ä b",
    "a;b",
]


@pytest.mark.parametrize("cell", HOSTILE)
def test_a_cell_in_a_path_stays_one_segment_of_the_same_host(cell: str) -> None:
    url = render({"url": "https://api.example.com/v1/{{ cell }}/details"}, cell=cell).url
    assert url.startswith("https://api.example.com/v1/")
    segment, tail = url.removeprefix("https://api.example.com/v1/").split("/")
    assert tail == "details"
    assert not set(segment) & set("/?#@\\ \r\n;")


@pytest.mark.parametrize("cell", [".", "..", "%2e%2e", "%2E"])
def test_a_cell_of_dots_cannot_climb(cell: str) -> None:
    encoded = cell.startswith("%")
    if encoded:
        assert "%25" in render({"url": "/v1/{{ cell }}/x"}, cell=cell).url
        return
    with pytest.raises(ContractError, match="only dots"):
        render({"url": "/v1/{{ cell }}/x"}, cell=cell)


@given(st.text(min_size=1).filter(lambda text: text.strip() and text not in {".", ".."}))
def test_no_text_at_all_changes_the_path_around_it(cell: str) -> None:
    try:
        url = render({"url": "/v1/{{ cell }}/x"}, cell=cell).url
    except ContractError:
        return  # lone surrogates and what is too long are refused
    assert url.startswith("/v1/")
    assert url.endswith("/x")
    assert url.count("/") == 3
    assert url.isascii()


@pytest.mark.parametrize(
    "url",
    [
        "{{ company_website }}",
        "https://{{ company_domain }}/x",
        "https://api.{{ x }}.com/",
        "{{ parameters.base }}{{ x }}/",
    ],
)
def test_a_template_whose_host_an_item_could_choose_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="may not choose the host"):
        renderer({"url": url})


def test_an_address_in_the_parameters_is_the_operators_and_is_taken_whole() -> None:
    request = {"url": "{{ parameters.table_url }}"}
    assert (
        render(request, parameters={"table_url": "https://clay.example/t/1?x=a b"}).url
        == "https://clay.example/t/1?x=a b"
    )
    assert renderer(request).address({"table_url": "https://clay.example/t"}) == "https://clay.example/t"
    assert renderer({"url": "/v1/{{ parameters.p }}/{{ x }}/y"}).address({"p": "q"}) == "/v1/q/"


def test_an_empty_value_in_a_path_is_refused_by_name() -> None:
    with pytest.raises(ContractError, match=r"a-step, url: \{\{external_id\}\} is empty"):
        render({"url": "/result/{{ external_id }}"}, external_id=None)


@pytest.mark.parametrize("cell", ["a\r\nx-admin: 1", "a\nb", "a\0b", "Zoë"])
def test_a_cell_cannot_add_a_header(cell: str) -> None:
    with pytest.raises(ContractError, match=r"headers\.x-name"):
        render({"headers": {"x-name": "{{ cell }}"}}, cell=cell)


def test_a_secret_in_a_header_is_a_place_and_no_text() -> None:
    rendered = render(
        {"headers": {"authorization": "Bearer {{ secrets.token }}", "x": "{{secrets.token}}"}}, secrets={"token": "v"}
    )
    token = SecretPlace("token")
    assert rendered.headers == {}
    assert rendered.secret_headers == {"authorization": ("Bearer ", token), "x": (token,)}
    assert rendered.spelled_headers() == {"authorization": "Bearer {{secrets.token}}", "x": "{{secrets.token}}"}


@pytest.mark.parametrize(
    "cell", ["{{secrets.token}}", "{{ secrets.token }}", "{", "{{secrets.", "{{", "[secret token]"]
)
def test_a_cell_that_spells_a_secret_is_sent_as_it_is(cell: str) -> None:
    headers = {"x-cell": "{{ cell }}", "x-near": "{ {{ cell }}{secrets.token}}", "authorization": "{{secrets.token}}"}
    filled = fill_secrets(render({"headers": headers}, cell=cell), {"token": "canary-value"})
    assert filled.headers == {
        "x-cell": cell,
        "x-near": "{ " + cell + "{secrets.token}}",
        "authorization": "canary-value",
    }


@pytest.mark.parametrize(
    "request_",
    [
        {"body": {"k": "{{ secrets.token }}"}},
        {"query": {"k": "{{ secrets.token }}"}},
        {"url": "/x/{{ secrets.token }}"},
        {"headers": {"x": "{{ secrets.token|upper }}"}},
        {"headers": {"x": "{{ secrets }}"}},
        {"headers": {"x": "{{ secrets['token'] }}"}},
    ],
)
def test_a_secret_anywhere_but_alone_in_a_header_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="a secret can only stand in a header"):
        renderer(request_)


def test_a_template_that_cannot_be_compiled_names_workflow_field_and_template() -> None:
    with pytest.raises(ConfigurationError, match=r"workflow a-step, request\.body\.x: '\{\{ a b \}\}'"):
        renderer({"body": {"x": "{{ a b }}"}})


def test_a_template_that_fails_for_an_item_names_the_field_and_quotes_no_data() -> None:
    with pytest.raises(ContractError) as caught:
        render({"body": {"x": "{{ a + 1 }}"}}, a="private data")
    assert "a-step, body" in str(caught.value)
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 999999999 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ ['a'] * 100000000 }}",
        "{{ range(9) }}",
    ],
)
def test_a_template_can_neither_look_inside_python_nor_eat_the_memory(template: str) -> None:
    try:
        rendered = body({"x": template}, x="cell")
    except (ContractError, ConfigurationError):
        return
    assert rendered == {}


def test_a_body_above_the_bound_is_refused() -> None:
    with pytest.raises(ContractError, match="larger than"):
        render({"body": {"x": "{{ cell }}"}}, cell="x" * 1_100_000)


def test_a_typical_request_renders_in_well_under_50_microseconds() -> None:
    request = {
        "url": "/v1/{{ company_domain }}",
        "query": {"q": "{{ email }}"},
        "body": {
            name: f"{{{{ {name} }}}}" for name in ("first_name", "last_name", "email", "company_name", "linkedin_url")
        }
        | {"note": "Hi {{ first_name }} of {{ company_name }}", "flag": True},
    }
    compiled = renderer(request)
    context = dict.fromkeys(("first_name", "last_name", "email", "company_name", "company_domain"), "text")
    best = min(timeit.repeat(lambda: compiled.render(context), number=500, repeat=5)) / 500
    assert best < 50e-6, f"{best * 1e6:.1f} us"


@pytest.mark.parametrize("slug", ["match-person-via-apollo", "reveal-phone-via-apollo"])
def test_a_junior_is_asked_for_as_himself(slug: str) -> None:
    ask = RequestRenderer(builtin_workflows()[slug]).render
    name = {"first_name": "John", "last_name": "Smith", "full_name": "John Q. Smith"}
    parameters = {"parameters": {}, "callback_url": "http://127.0.0.1/c"}
    father = orjson.loads(ask({**name, **parameters}).content or b"")
    son = orjson.loads(ask({**name, **parameters, "name_suffix": "Jr."}).content or b"")
    assert (father["first_name"], father["last_name"], father.get("name")) == ("John", "Smith", None)
    assert (son.get("first_name"), son.get("last_name"), son["name"]) == (None, None, "John Q. Smith Jr.")


@pytest.mark.parametrize(
    "cell",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:8080",
        "http://10.0.0.1",
        "http://[::1]/",
        "http:\\\\127.1",
    ],
)
@pytest.mark.parametrize(
    ("request_template", "page"),
    [
        ({"method": "POST", "url": "/scrape", "body": {"url": "{{ company_website }}"}}, False),
        (
            {"method": "POST", "url": "/scrape", "body": {"input": {"startUrls": [{"url": "{{ company_website }}"}]}}},
            False,
        ),
        ({"method": "POST", "url": "/run", "body": {"urls": "{{ [company_website, 'https://acme.com'] }}"}}, False),
        ({"method": "GET", "url": "/v1/", "query": {"url": "{{ company_website }}"}}, False),
        (
            {
                "method": "GET",
                "url": "/v1/",
                "query": {"where": "{% if company_website %}{{ company_website }}{% endif %}"},
            },
            True,
        ),
        ({"method": "GET", "url": "/{{ company_website }}"}, True),
    ],
)
def test_a_cell_has_no_private_place_fetched_by_whoever_scrapes(
    request_template: dict[str, Any], page: bool, cell: str
) -> None:
    response = {"format": "page"} if page else {}
    made = RequestRenderer(
        WorkflowDefinition(
            slug="a-step",
            title="A",
            step=1,
            provider="http",
            operation="x",
            mode="sync",
            request={**request_template, "url": f"https://scraper.example{request_template['url']}"},
            response=response,
        )
    )
    with pytest.raises(ContractError, match="private network or machine") as refused:
        made.render({"company_website": cell})
    assert refused.value.code == "request.private_address" and cell not in str(refused.value)
    assert made.render({"company_website": "https://acme.com"}).url.startswith("https://scraper.example/")


@pytest.mark.parametrize("slug", ["zenrows", "firecrawl", "jina"])
def test_no_shipped_scraper_is_told_a_private_place(slug: str) -> None:
    shipped = RequestRenderer(builtin_workflows()[f"scrape-homepage-via-{slug}"])
    for cells in (
        {"company_website": "http://192.168.0.1/"},
        {"company_domain": "localhost"},
        {"company_website": "127.0.0.1"},
    ):
        with pytest.raises(ContractError, match="private network or machine"):
            shipped.render({**cells, "parameters": {}})
    assert shipped.render({"company_domain": "acme.com", "parameters": {}})


def test_our_own_callback_address_and_links_that_nobody_fetches_may_be_private() -> None:
    body = {"url": "{{ callback_url }}", "crm_link": "{{ original['CRM'] }}"}
    sent = renderer({"method": "POST", "url": "https://n8n.example/webhook/x", "body": body}).render(
        {"callback_url": "http://127.0.0.1:8710/cb/t", "original": {"CRM": "http://crm.internal/7"}}
    )
    assert sent.content == b'{"url":"http://127.0.0.1:8710/cb/t","crm_link":"http://crm.internal/7"}'
