"""The gate over leads of a real batch: what the warehouse and HQ know, lists, consents, contacts of other batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.gate.countries import Consent
from enrichment_assets.domain.gate.rules import ListKind, Rule
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.services.deliveries import gate_rules
from enrichment_assets.services.deliveries.gate import Gate, Passing
from enrichment_assets.services.deliveries.gate_lists import add_list, put_rows, remove_list, show_lists
from enrichment_assets.services.deliveries.gate_rules import Agreed
from enrichment_assets.services.insight.queries import ask
from enrichment_assets.services.people.suppressing import Terms, suppress
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Answer, Lead, Seeded, seed_batch

FIND, OTHER, VERIFY, SELF = (
    "find-email-via-hunter", "find-email-via-apollo", "verify-email-via-zerobounce", "verify-email-via-hunter"
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    item_id: int
    values: dict[str, Any]


def person(name: str, company: str, *, country: str = "US", **more: str) -> dict[str, str | None]:
    first, _, last = name.partition(" ")
    return {
        "full_name": name, "first_name": first, "last_name": last, "company_name": company.title(),
        "company_domain": f"{company}.com", "country": country, **more,
    }  # fmt: skip


def found(address: str, workflow: str = FIND, provider: str = "hunter", **more: str) -> Answer:
    return Answer(workflow, {}, {"email": address, "email_status": "valid", **more}, provider)


def verified(address: str, word: str = "valid", workflow: str = VERIFY, by: str = "zerobounce") -> Answer:
    records = [{"address": address, "status": word, "role": "verdict"}]
    return Answer(workflow, {}, {"email_records": records}, by)


def good(name: str, company: str, *answers: Answer, **more: str) -> Lead:
    address = f"{name.split()[0].lower()}@{company}.com"
    return Lead(person(name, company, **more), [found(address), verified(address), *answers])


class Desk:
    def __init__(self, settings: Settings, raw: psycopg.Connection[dict[str, Any]]) -> None:
        self.settings, self.hq, self.raw = settings, hq_of(settings), raw

    def batch(self, leads: Sequence[Lead], key: str = "b1") -> Seeded:
        seeded = seed_batch(self.raw, leads, batch_key=key)
        bring_up_to_date(self.hq, self.settings, key)
        return seeded

    def gate(self, seeded: Seeded, workflow: str = "mail-1", *, reserves: bool = False) -> Gate:
        client = self.rows("select client_id from batches where id = %s", seeded.batch_id)[0]["client_id"]
        passing = Passing(client, "acme", seeded.batch_id, seeded.batch_key, workflow, ["email"], reserves)
        return Gate(self.hq, self.settings, passing)

    def refused(self, seeded: Seeded, workflow: str = "mail-1", *, reserves: bool = False) -> list[list[str]]:
        """Of each lead, in order, why it is refused."""
        with self.gate(seeded, workflow, reserves=reserves) as gate:
            columns = ", ".join(sorted(gate.columns))
            query = f"select item_id, {columns} from final_leads order by item_id"
            with ask(self.hq, self.settings, query, client="acme", batch=seeded.batch_key) as answer:
                names = list(answer.columns)
                rows = [Row(row[0], dict(zip(names[1:], row[1:], strict=True))) for row in answer.rows()]
            said: dict[int, list[str]] = {}
            for start in range(0, len(rows), 2):  # in pieces, as a plan asks
                piece = gate.refused(rows[start : start + 2])
                said |= {item: [str(one) for one in listed] for item, listed in piece.items()}
        return [said.get(item, []) for item in seeded.item_ids]

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        result = self.raw.execute(query, values).fetchall()
        self.raw.rollback()
        return result

    def state(self, seeded: Seeded, workflow: str, status: str) -> None:
        """The states of a delivery as a plan, or a run, leaves them."""
        self.raw.execute(
            "insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, advanced_at) "
            "select id, %(w)s, batch_id, client_id, 100, %(s)s, now() from batch_items where batch_id = %(b)s "
            "on conflict (item_id, workflow_slug) do update set status = excluded.status",
            {"w": workflow, "s": status, "b": seeded.batch_id},
        )
        self.raw.commit()


@pytest.fixture
def desk(settings: Settings, hq: psycopg.Connection[dict[str, Any]]) -> Iterator[Desk]:
    yield Desk(settings, hq)


def history(*jobs: tuple[str, bool]) -> Answer:
    entries = [{"organization_name": name, "current": current, "title": "CEO"} for name, current in jobs]
    return Answer("match-person-via-apollo", {"person": {"employment_history": entries}}, {}, "apollo")


def test_what_the_warehouse_knows_of_addresses_names_companies_and_roles_refuses(desk: Desk) -> None:
    leads = [
        good("Ann Archer", "acme"),
        Lead(person("Ben Baker", "beta"), [found("ben@beta.com")]),  # found and called valid by the finder alone
        Lead(person("Cid Cole", "gamma"), [found("cid@gamma.com"), verified("cid@gamma.com", "ok", SELF, "hunter")]),
        Lead(person("Dan Dole", "delta"), [found("dan@delta.com"), found("dan@delta.com", OTHER, "apollo")]),
        Lead(person("Eve Earl", "eta"), [found("eve@eta.com"), verified("eve@eta.com", "catch-all")]),
        Lead(person("Fay Ford", "theta", email="fay@theta.com"), [verified("fay@theta.com")]),
        Lead(
            person("Guy Gold", "iota"),
            [found("guy@iota.com", first_name="Max", last_name="Moore"), verified("guy@iota.com")],
        ),
        good("Hal Hart", "kappa", history(("Kappa Inc.", False))),
        good("Ida Iden", "mu", history(("Mu", False), ("MU LLC", True))),
    ]
    alone = "email_verified: hunter alone found and verified the address"
    assert desk.refused(desk.batch(leads)) == [
        [],
        [alone],
        [alone],
        [],
        ["email_verified: its host takes mail for any name, and 1 of 2 found it"],
        [],
        ["right_person: upload knows the lead as somebody else's"],
        ["role_current: by their work history they work there no more"],
        [],
    ]


def test_lists_consents_suppressions_stops_and_passes_refuse_and_let_through(desk: Desk, tmp_path: Path) -> None:
    names = ["Ann Archer", "Ben Baker", "Cid Cole", "Dan Dole", "Eve Earl", "Fay Ford"]
    companies = ["acme", "beta", "gamma", "delta", "eta", "theta"]
    leads = [good(name, company) for name, company in zip(names, companies, strict=True)]
    leads.append(good("Gil Gold", "iota", country="Germany"))
    seeded, hq, settings = desk.batch(leads), desk.hq, desk.settings
    assert desk.refused(seeded) == [[]] * 6 + [
        ["country: DE asks for consent (UWG § 7 Abs. 2 Nr. 2, Abs. 3), and none is recorded"]
    ]
    customers = tmp_path / "customers.csv"
    customers.write_text("Company,Website,Account Owner\nACME Holding GmbH,https://www.acme.com,\nBeta Corp,,\n,n/a,\n")
    report = add_list(hq, settings, "acme", ListKind.CUSTOMERS, customers, actor=TESTER)
    assert (report.rows, report.added, report.faults) == (3, 3, [(4, "names no company and nobody")])
    rivals = [{"company_domain": "gamma.com"}, {"company_name": "Delta, Inc."}]
    put_rows(hq, settings, "acme", ListKind.COMPETITORS, rivals, "crm", actor=TESTER)
    put_rows(hq, settings, "acme", ListKind.COMPETITORS, rivals[:1], "crm", actor=TESTER)  # Delta is none any more
    owners = [{"email": "somebody@eta.com", "owner": "Jane Roe"}]
    put_rows(hq, settings, "acme", ListKind.OWNERS, owners, "crm", actor=TESTER)
    assert suppress(hq, settings, read_identity("theta.com"), Terms("a partner", client="acme"), actor=TESTER)
    agreed = Agreed(Consent.EXPRESS, "form of 2026-11-01")
    gil = read_identity("Gil+x@iota.com")
    assert gate_rules.record_consent(hq, settings, "acme", gil, agreed, actor=TESTER)
    assert gate_rules.stop(hq, settings, "acme", read_identity("dan@delta.com"), "called us", actor=TESTER)
    assert gate_rules.stop(hq, settings, "acme", read_identity("ann@acme.com"), "on leave", actor=TESTER, days=3)
    assert desk.refused(seeded) == [
        ["customer: ACME Holding GmbH"],
        ["customer: Beta Corp"],  # by its name, whatever legal form
        ["competitor: gamma.com"],
        ["stopped: called us"],
        ["other_owner: eta.com is Jane Roe's"],
        ["suppressed: a partner"],
        [],
    ]
    passed = gate_rules.let_pass(hq, seeded.item_ids[0], ["customer"], "an upsell, asked by Jane", actor=TESTER)
    assert passed == [Rule.CUSTOMER]
    for rule in ("suppressed", "stopped", "country"):
        with pytest.raises(ConfigurationError, match="no lead passes"):
            gate_rules.let_pass(hq, seeded.item_ids[5], [rule], "please", actor=TESTER)
    with pytest.raises(NotFoundError, match="no lead"):
        gate_rules.let_pass(hq, 10**12, ["customer"], "please", actor=TESTER)
    gate_rules.set_rule(hq, "acme", "other_owner", {"on": "false"}, actor=TESTER)
    assert remove_list(hq, "acme", ListKind.COMPETITORS, source=None, company="gamma.com", actor=TESTER) == 1
    assert gate_rules.lift_stop(hq, settings, "acme", read_identity("dan@delta.com"), actor=TESTER) == 1
    assert gate_rules.withdraw_consent(hq, settings, "acme", gil, actor=TESTER) == 1
    now = desk.refused(seeded)
    assert now[0] == now[2] == now[3] == now[4] == [] and now[6][0].startswith("country: DE")
    assert gate_rules.take_back_pass(hq, seeded.item_ids[0], actor=TESTER) == [Rule.CUSTOMER]
    gate_rules.reset_rule(hq, "acme", "other_owner", actor=TESTER)
    assert desk.refused(seeded)[0] == ["customer: ACME Holding GmbH"] and desk.refused(seeded)[4] != []
    assert [(one.kind, one.label) for one in show_lists(hq, "acme", ListKind.OWNERS)] == [
        ("owners", "eta.com"), ("owners", "eta.com")
    ]  # fmt: skip
    codes = [row["action"] for row in desk.rows("select action from operator_actions order by id")]
    expected = {
        "gate.list",
        "gate.pass",
        "gate.set",
        "consent.record",
        "consent.withdraw",
        "contact.stop",
        "contact.lift",
    }
    assert expected <= set(codes)
    said = str(desk.rows("select before, after, name from operator_actions"))
    assert not any(word in said for word in ("gil@iota", "dan@delta", "somebody@eta")), "no value of a person"


def test_people_of_one_company_are_counted_over_batches_and_nobody_is_contacted_twice(desk: Desk) -> None:
    names = ["Ann Archer", "Ben Baker", "Cid Cole", "Dan Dole", "Eve Earl"]
    first = desk.batch([good(name, "acme") for name in names], "b1")
    cap = "company_cap: 3 others of the company within 30 days, 3 are allowed"
    assert desk.refused(first) == [[], [], [], [cap], [cap]], "a dry run counts itself"
    assert desk.rows("select 1 from gate_contacts") == [], "and keeps nothing"
    assert desk.refused(first, reserves=True) == [[], [], [], [cap], [cap]]
    assert desk.refused(first, reserves=True) == [[], [], [], [cap], [cap]], "the same plan again is the same"
    # Another batch, planned at the same time: by a name alone, by a mailbox below the host, by the same person.
    others = [
        Lead({**person("Zoe Zorn", "acme"), "company_domain": None}, good("Zoe Zorn", "zeta").answers),
        good("Yan Yost", "mail.acme"),
        good("Ann Archer", "acme"),
        good("Xia Xu", "other"),
    ]
    second = desk.batch(others, "b2")
    about = "recently_contacted: mail-1 is about to"
    assert desk.refused(second, "linkedin-1") == [[cap], [cap], [about], []]
    # What was planned and did not go takes nobody's seat; what went is told with its day.
    desk.state(first, "mail-1", "SKIPPED")
    assert desk.refused(second, "linkedin-1") == [[], [], [], []]
    desk.state(first, "mail-1", "COMPLETED")
    today = desk.rows("select now()::date as day")[0]["day"]
    sent = f"recently_contacted: by mail-1 on {today}"
    assert desk.refused(second, "linkedin-1") == [[cap], [cap], [sent], []]
    # A later step of the same sequence is no second contact, and its person no other one of the company.
    desk.raw.execute(
        "insert into batch_deliveries (batch_id, workflow_slug, client_id, position, automatic, asked_by, step) "
        """select id, 'mail-2', client_id, 101, false, 'cli:t', '{"workflow": {"delivery": {"follows":
        {"delivery": "mail-1"}}}}' from batches where batch_key = 'b1'"""
    )
    desk.raw.commit()
    assert desk.refused(first, "mail-2")[:3] == [[], [], []]
    gate_rules.set_rule(desk.hq, "acme", "company_cap", {"people": "9"}, actor=TESTER)
    desk.raw.execute("update workflow_states set advanced_at = now() - interval '31 days'")
    desk.raw.commit()
    assert desk.refused(second, "linkedin-1") == [[], [], [], []]


def test_a_change_of_a_rule_says_who_made_it_and_keeps_the_other_settings(desk: Desk, hq: Any) -> None:
    desk.batch([good("Ann Archer", "acme")])
    gate_rules.set_rule(desk.hq, "acme", "company_cap", {"people": "5"}, actor=TESTER)
    shown = gate_rules.set_rule(desk.hq, "acme", "company_cap", {"on": "off"}, actor=TESTER)
    assert (shown.setting.is_on, dict(shown.setting.settings), shown.by) == (
        False,
        {"people": 5, "days": 30},
        str(TESTER),
    )
    others = [one for one in gate_rules.show_rules(desk.hq, "acme") if one.rule is not Rule.COMPANY_CAP]
    assert all(one.setting.is_on and not one.changed for one in others)
    same = gate_rules.set_rule(desk.hq, "acme", "company_cap", {"on": "off"}, actor=TESTER)
    assert same == shown and len(desk.rows("select 1 from operator_actions where action = 'gate.set'")) == 2
    with pytest.raises(NotFoundError, match="no client"):
        gate_rules.show_rules(desk.hq, "globex")
