"""Slips of the finger, and what is said of each before anything is saved or paid for."""

from __future__ import annotations

from pathlib import Path

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.known_names import STORED_ITEM_MEMBERS, emitted_by, given_by, vocabulary
from enrichment_assets.domain.local_operations import PAYLOADS
from enrichment_assets.domain.name_checks import column_faults, name_warnings
from enrichment_assets.domain.pipeline import ClientWorkflowConfig, PipelineDefinition
from enrichment_assets.domain.planning import apply_config, build_blueprint, validate_pipeline
from enrichment_assets.domain.suggestions import misspelt, nearest
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import check_workflow, said_of, workflow_faults
from enrichment_assets.domain.yaml_text import line_numbers
from enrichment_assets.engine.run.local import OPERATIONS
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_pipelines, builtin_workflows, parse_pipeline, parse_workflow
from enrichment_assets.store.tables import batch_items

RIGHT = """\
slug: rate-person
title: Rate the person
step: 650
provider: http
operation: rate
mode: async
entity: person
requires: [full_name, [company_domain, company_name]]
uses: [title, homepage_text]
run_if: "!email || company_employee_count > `50`"
parameters: {model: small, language: null}
secrets: {token: RATER_TOKEN}
provides:
  person_rating: data.rating
  seats: {from: data.seats, type: range}
emits:
  items: "data.people[].{full_name: name, email: mail, note: note}"
  key: email
request:
  method: POST
  url: https://rater.example/v1/{{ parameters.model }}
  headers: {authorization: "Bearer {{secrets.token}}"}
  body:
    name: "{{ full_name }}"
    domain: "{{ company_domain or company_name }}"
    page: "{{ homepage_text }}"
    number: "{{ item.row_number }}"
    remark: "{{ original['Remark of Sales'] }}"
    people: [{title: "{{ title }}"}]
    answer_to: "{{ callback_url }}"
response:
  external_id: id
callback:
  on_deadline: fail
poll:
  request: {method: GET, url: "https://rater.example/v1/{{ external_id }}"}
  every: 30s
price: {estimate: "0.01"}
limits: {per_second: 5}
retry: {attempts: 3}
destination:
  table: ratings
  create: true
  key: [name]
  columns:
    name: item.full_name
    rating: {from: fields.person_rating, type: numeric}
    seats_from: {from: fields.seats_min, type: integer}
    raw: {from: payload.data, type: jsonb}
"""

KNOWN = vocabulary(builtin_workflows().values())


def said(text: str) -> str:
    """What adding this file says; empty: it can be added."""
    try:
        workflow = parse_workflow(text, "rate.yaml")
    except ConfigurationError as error:
        return str(error)
    faults = workflow_faults(workflow, PROVIDERS, KNOWN)
    return said_of(workflow, faults, line_numbers(text)) if faults else ""


def test_the_workflow_is_right_as_it_is() -> None:
    assert said(RIGHT) == ""


TYPOS = [
    # names in templates
    ("{{ full_name }}", "{{ fullname }}", "request.body.name", "full_name"),
    ("{{ full_name }}", "{{ full_nmae }}", "request.body.name", "full_name"),
    ("{{ full_name }}", "{{ Full_Name }}", "request.body.name", "full_name"),
    ("{{ company_domain or", "{{ compny_domain or", "request.body.domain", "company_domain"),
    ("{{ homepage_text }}", "{{ homepage_txt | upper }}", "request.body.page", "homepage_text"),
    ("{{ homepage_text }}", "{% if homepge_text %}x{% endif %}", "request.body.page", "homepage_text"),
    ("{{ homepage_text }}", "{% for p in homepagetext %}{{ p }}{% endfor %}", "request.body.page", "homepage_text"),
    ("{{ title }}", "{{ titel }}", "request.body.people[0].title", "title"),
    ("{{ item.row_number }}", "{{ item.row_numer }}", "request.body.number", "row_number"),
    ("{{ item.row_number }}", "{{ item['clinet'] }}", "request.body.number", "client"),
    ("{{ item.row_number }}", "{{ itme.row_number }}", "request.body.number", "item"),
    ("{{ original[", "{{ orignal[", "request.body.remark", "original"),
    ("{{ parameters.model }}", "{{ parameters.modle }}", "request.url", "model"),
    ("{{ parameters.model }}", "{{ parameters['modl'] }}", "request.url", "model"),
    ("{{ callback_url }}", "{{ calback_url }}", "request.body.answer_to", "callback_url"),
    ("{{ external_id }}", "{{ externalid }}", "poll.request.url", "external_id"),
    ("{{secrets.token}}", "{{secrets.tokn}}", "request.headers.authorization", "token"),
    ("{{secrets.token}}", "{{secret.token}}", "request.headers.authorization", "secrets"),
    ("secrets: {token:", "secrets: {tokn:", "secrets.tokn", "token"),
    # conditions
    ("!email ||", "!emial ||", "run_if", "email"),
    ("company_employee_count >", "company_employe_count >", "run_if", "company_employee_count"),
    ("!email ||", "item.rownumber ||", "run_if", "row_number"),
    ("!email ||", "!(parameters.languag) ||", "run_if", "language"),
    # emitted objects and the destination
    ("  key: email", "  key: emial", "emits.key", "email"),
    ("fields.person_rating", "fields.person_ratng", "destination.columns.rating", "person_rating"),
    ("fields.seats_min", "fields.seats_minimum", "destination.columns.seats_from", "seats_min"),
    ("item.full_name", "item.fullname", "destination.columns.name", "full_name"),
    ("payload.data,", "paylod.data,", "destination.columns.raw", "payload"),
    ("key: [name]", "key: [nmae]", "destination.key[0]", "name"),
    # keys of the file
    ("requires:", "requries:", "requries", "requires"),
    ("run_if:", "runif:", "runif", "run_if"),
    ("  headers:", "  hedaers:", "request.hedaers", "headers"),
    ("  every:", "  evry:", "poll.evry", "every"),
    ("method: GET, url", "method: GET, ulr", "poll.request.ulr", "url"),
    ("per_second:", "per_secnd:", "limits.per_secnd", "per_second"),
    ("attempts:", "attemps:", "retry.attemps", "attempts"),
    ("  external_id: id", "  externalid: id", "response.externalid", "external_id"),
    ("  key: email", "  keys: email", "emits.keys", "key"),
    ("  create: true", "  craete: true", "destination.craete", "create"),
    ("rating: {from:", "rating: {form:", "destination.columns.rating.form", "from"),
    # words of a fixed list
    ("mode: async", "mode: asnyc", "mode", "async"),
    ("entity: person", "entity: persn", "entity", "person"),
    ("provider: http", "provider: htp", "provider", "http"),
    ("on_deadline: fail", "on_deadline: fial", "callback.on_deadline", "fail"),
    ("method: POST", "method: PSOT", "request.method", "POST"),
    ("type: numeric", "type: numric", "destination.columns.rating.type", "numeric"),
    ("type: range", "type: rnage", "types.seats", "range"),
]
"""(right, wrong, the place that is named, what is asked about)"""


@pytest.mark.parametrize(("right", "wrong", "place", "meant"), TYPOS, ids=[wrong.strip() for _, wrong, *_ in TYPOS])
def test_a_typo_is_refused_with_its_place_and_what_was_meant(right: str, wrong: str, place: str, meant: str) -> None:
    before, found, after = RIGHT.partition(right)
    assert found
    sentence = said(before + wrong + after)
    line = before.count("\n") + 1
    assert f"{place} (line {line}): " in sentence or place == "types.seats"
    assert f"did you mean {meant!r}?" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("{{ full_name }}", "{{ budget }}", "request.body.name (line 24): nothing gives a field 'budget' (a column of"),
        (
            "{{secrets.token}}",
            "{{secrets.tokn}}",
            "there is no secret 'tokn'; did you mean 'token'? (there are token (RA",
        ),
        ("secrets: {token:", "secrets: {tokn:", "no header has {{secrets.tokn}}, and http does not use it by itself"),
        (
            "{{ parameters.model }}",
            "{{ parameters.x }}",
            "or declare it, `parameters: {x: null}`, where each client sets",
        ),
        ("{{ callback_url }}", "{{ external_id }}", "`external_id` is there only in `poll.request`"),
        ("{{ external_id }}", "{{ callback_url }}", "`callback_url` is there only in the request of an async workflow"),
        ("!email ||", "secrets.token ||", "a secret can only stand in a header"),
        ("!email ||", "!callback_url ||", "`callback_url` is there only in the request"),
        ("  person_rating: data", "  item: data", "provides.item (line 14): 'item' is a name of the platform's own"),
        (
            "data.rating",
            "data..rating",
            "provides.person_rating (line 14): 'data..rating' is not a JMESPath expression",
        ),
        ("{{ full_name }}", "{{ full_name", "request.body.name (line 24): "),
        (
            "slug: rate-person",
            "slgu: rate-person",
            "slug: Field required; slgu (line 1): there is no setting 'slgu' here",
        ),
    ],
)
def test_what_else_is_wrong_is_said_with_its_remedy(right: str, wrong: str, sentence: str) -> None:
    assert RIGHT.count(right) >= 1
    assert sentence in said(RIGHT.replace(right, wrong, 1))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = RIGHT
    for right, wrong in [
        ("{{ full_name }}", "{{ a.b"),
        ("{{ title }}", "{{ titel }}"),
        ("!email", "!emial"),
        ("parameters.model", "parameters.modl"),
    ]:
        text = text.replace(right, wrong, 1)
    found = said(text)
    places = [
        "request.body.name (line 24)",
        "request.body.people[0].title",
        "run_if (line 10)",
        "request.url (line 21)",
    ]
    assert all(place in found for place in places), found


def test_a_workflow_that_computes_or_reads_text_knows_the_names_of_its_answers() -> None:
    scrape = builtin_workflows()["scrape-homepage-via-zenrows"]
    local = builtin_workflows()["normalise-name"]
    for workflow, changes, sentence in [
        (
            scrape,
            {"provides": {"page": "txt"}, "types": {}},
            "provides.page: the answer has no 'txt': did you mean 'text'?",
        ),
        (local, {"provides": {"middle_name": "midle"}}, "the answer has no 'midle': did you mean 'middle'?"),
        (local, {"operation": "normalize_name"}, "there is no local operation 'normalize_name': did you mean"),
    ]:
        changed = WorkflowDefinition.model_validate(workflow.model_dump(by_alias=True) | changes)
        with pytest.raises(ConfigurationError) as caught:
            check_workflow(changed, PROVIDERS, KNOWN)
        assert sentence in str(caught.value)
    json = WorkflowDefinition.model_validate(
        scrape.model_dump(by_alias=True) | {"provides": {"page": "data.text"}, "types": {}}
    )
    assert workflow_faults(json, PROVIDERS, KNOWN) == []
    assert ["the answer has no 'data'" in str(warning) for warning in name_warnings(json, KNOWN)] == [True]


def test_every_workflow_and_pipeline_that_is_built_in_has_right_names() -> None:
    workflows = builtin_workflows()
    for workflow in workflows.values():
        check_workflow(workflow, PROVIDERS, KNOWN)
        assert name_warnings(workflow, vocabulary(w for w in workflows.values() if w is not workflow)) == []
    for pipeline in builtin_pipelines().values():
        assert validate_pipeline(pipeline, workflows) == []
    steps = [slug for slug, workflow in workflows.items() if workflow.delivery is None]
    for slug in steps:  # each by itself wants nothing but what it requires
        problems = validate_pipeline(PipelineDefinition(slug="alone", steps=[slug]), workflows)
        assert all("needs the field" in problem for problem in problems), problems


def test_what_is_known_of_local_steps_and_items_is_what_there_is() -> None:
    row = {"full_name": "Dr. Ada King Jr.", "email": "a@b.example", "company_website": "b.example", "phone": "1"}
    for name, operation in OPERATIONS.items():
        assert PAYLOADS[name] == set(operation(row))
    assert set(PAYLOADS) == set(OPERATIONS)
    columns = {column.name for column in batch_items.columns} - {"original_data", "details", "rejected"}
    assert set(STORED_ITEM_MEMBERS) <= columns
    assert columns - set(STORED_ITEM_MEMBERS) <= {"created_at"}


def test_names_that_may_be_meant_are_asked_about_and_not_refused() -> None:
    text = RIGHT.replace("person_rating: data.rating", "company_domian: data.rating").replace(
        "fields.person_rating", "fields.company_domian"
    )
    text = text.replace("uses: [title,", "uses: [titel, title,").replace("note: note}", "linkedin_ulr: note}")
    workflow = parse_workflow(text, "rate.yaml")
    assert workflow_faults(workflow, PROVIDERS, KNOWN) == []
    assert [str(warning) for warning in name_warnings(workflow, KNOWN)] == [
        "provides.company_domian: 'company_domian' is a field that nothing else knows; did you mean 'company_domain'?",
        "uses: 'titel' is a field that nothing else knows; did you mean 'title'?",
        "emits.items: 'linkedin_ulr' is a field that nothing else knows; did you mean 'linkedin_url'?",
    ]


def workflow(slug: str, body: str, **fields: object) -> WorkflowDefinition:
    values = {"title": slug, "step": 1, "provider": "http", "operation": slug, "mode": "sync"}
    request = {"url": "/enrich", "body": {"text": body}}
    return WorkflowDefinition.model_validate({"slug": slug, **values, "request": request, **fields})


def problems(*steps: WorkflowDefinition | str) -> list[str]:
    own = {step.slug: step for step in steps if isinstance(step, WorkflowDefinition)}
    slugs = [step if isinstance(step, str) else step.slug for step in steps]
    return validate_pipeline(PipelineDefinition(slug="p", steps=slugs), {**builtin_workflows(), **own})


def test_in_a_pipeline_a_field_comes_from_the_upload_or_from_before() -> None:
    score = workflow("score", "{{ company_name }}", provides={"fit": "score"})
    mail = workflow("mail", "{{ fit }}")
    assert problems(score, mail) == []
    assert (
        problems(mail)
        == [
            "step 1, mail: request.body.text: reads 'fit', which no upload and no earlier step gives "
            "(if it may be missing, name it under `uses`)"
        ]
        or "nothing" in problems(mail)[0]
    )
    assert "reads 'fit', which score gives only after it: move that step before this one" in problems(mail, score)[0]
    assert problems(workflow("mail", "{{ fit }}", uses=["fit"]), score) == []
    (wrong,) = problems(score, workflow("mail", "{{ fit }}", uses=["fti"]))
    assert "uses: nothing gives a field 'fti'; did you mean 'fit'?" in wrong
    (wrong,) = problems(score, workflow("mail", "{{ title }}", run_if="homepage_text"))
    assert "run_if: reads 'homepage_text', which no upload and no earlier step gives" in wrong
    assert (
        problems("normalise-domain", "scrape-homepage-via-zenrows", workflow("mail", "", run_if="homepage_text")) == []
    )
    (wrong,) = problems(workflow("mail", "", requires=["compny_domain"]))
    assert "needs the field compny_domain, which no upload and no earlier step provides; did you mean" in wrong
    assert "no workflow 'normalize-name'; did you mean 'normalise-name'?" in problems("normalize-name")[0]


def test_what_values_say_besides_is_known_too() -> None:
    sized = workflow("size", "x", provides={"seats": "n", "company_employee_count": "m"}, types={"seats": "range"})
    reads = "{{ seats_min }}{{ seats_max }}{{ company_employee_range }}{{ company_employee_range_min }}"
    assert problems(sized, workflow("mail", reads)) == []
    assert (
        problems(workflow("mail", "{{ phone_country }}{{ phone_extension }}{{ do_not_call }}{{ email_verdict }}")) == []
    )
    assert {"phone", "phone_type", "email_verdict"} <= given_by(builtin_workflows()["reveal-phone-via-apollo"])


def test_a_client_cannot_override_what_does_not_exist() -> None:
    one = builtin_workflows()["match-person-via-apollo"]
    for path, meant in [
        ("limits.per_secnd", "per_second"),
        ("base_ulr", "base_url"),
        ("retry.atempts", "attempts"),
        ("request.hedaers", "headers"),
        ("price.estimte", "estimate"),
    ]:
        with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'") as caught:
            apply_config("acme", one, ClientWorkflowConfig(settings={path: 1}))
        assert path in str(caught.value)
    wrong = apply_config("acme", one, ClientWorkflowConfig(secrets={"api_kye": "ACME_APOLLO_KEY"}))
    with pytest.raises(ConfigurationError, match=r"secrets\.api_kye: .*did you mean 'api_key'"):
        check_workflow(wrong, PROVIDERS, KNOWN)
    body = {"request.body.email": "{{ emial }}"}
    with pytest.raises(ConfigurationError, match=r"cannot run for acme: .*'emial'.*did you mean 'email'"):
        pipeline = PipelineDefinition(slug="p", steps=[one.slug])
        build_blueprint("acme", pipeline, builtin_workflows(), {one.slug: ClientWorkflowConfig(settings=body)})


COLUMNS = ["First Name", "E-Mail", "# Employees", "Phone 1", "Remark"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{{ original['Remark'] }}{{ original.Remark }}", None),
        ("{{ original['# Employes'] }}", "the upload has no column '# Employes': did you mean '# Employees'?"),
        ("{{ original.remark }}", "no column 'remark': did you mean 'Remark'?"),
        ("{{ original['E-mail'] | default('none') }}", "no column 'E-mail': did you mean 'E-Mail'?"),
        ("{{ original['Budget'] }}", "no column 'Budget': there are First Name, E-Mail"),
        ("{{ original['Budget'] | default('none') }}", None),
        ("{{ original['Budget'] or original['Remark'] }}", None),
        ("{{ original.get('Budget') }}{{ original['Phone 2'] or original['Phone 1'] }}", None),
        ("{{ original }}{{ original.keys() }}", None),
        ("{{ original.email_score }}", None),  # a key of what find-people-via-hunter emits
    ],
)
def test_a_column_that_a_step_reads_is_one_of_the_file(body: str, sentence: str | None) -> None:
    emitted = emitted_by(builtin_workflows()["find-people-via-hunter"])
    found = list(column_faults(workflow("w", body), COLUMNS, emitted))
    assert [sentence in fault for fault in found if sentence] == ([True] if sentence else [])
    assert bool(found) is bool(sentence)
    assert list(column_faults(workflow("w", body), COLUMNS, None)) == []
    condition = workflow("w", "", run_if='original."# Employes" > `5`')
    assert "workflow w, run_if: the upload has no column '# Employes'" in next(
        column_faults(condition, COLUMNS, emitted)
    )


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("emial", ["email", "phone"], "email"),
        ("domain", ["company_domain", "title"], "company_domain"),
        ("Full-Demo", ["full-demo"], "full-demo"),
        ("acmee", ["acme", "beta"], "acme"),
        ("xyz", ["email", "phone"], None),
        ("", ["email"], None),
        ("a" * 10_000, ["email"], None),
    ],
)
def test_the_nearest_name_is_offered_and_nothing_where_none_is_near(
    word: str, known: list[str], meant: str | None
) -> None:
    assert nearest(word, known) == meant


def test_a_number_in_a_name_is_no_slip() -> None:
    assert misspelt("email_3", ["email_2"]) is None
    assert misspelt("Phone 2", ["Phone 1"]) is None
    assert misspelt("emial_2", ["email_2"]) == "email_2"


def test_a_pipelines_file_says_the_line_too(tmp_path: Path) -> None:
    text = "slug: p\nsteps:\n  - normalise-name\n  - waterfal: [a, b]\n"
    with pytest.raises(ConfigurationError, match=r"line 4.*'waterfal' here; did you mean 'waterfall'"):
        parse_pipeline(text, "p.yaml")
    with pytest.raises(ConfigurationError, match=r"company_identity\[0\] \(line 3\).*did you mean 'company_name'"):
        parse_pipeline("slug: p\nsteps: [a]\ncompany_identity: [compny_name]\n", "p.yaml")
