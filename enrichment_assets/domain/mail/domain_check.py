"""A whole check of a domain: every finding, and what the big receivers would do."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.domains import is_free_mail
from enrichment_assets.domain.mail.dns_names import Names
from enrichment_assets.domain.mail.judging import STOPS, Facts, Finding, Outcome, outcomes
from enrichment_assets.domain.mail.opt_out import leads_here_only
from enrichment_assets.domain.mail.reach_checks import check_mx, check_reverse_dns, check_way
from enrichment_assets.domain.mail.sender_checks import (
    Question,
    check_alignment,
    check_dkim,
    check_dmarc,
    check_spf,
)


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """What was found of a domain. `way`: through whom the mail leaves, as in the question."""

    domain: str
    way: str
    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def stops(self) -> tuple[str, ...]:
        """The codes for which no mail leaves; none: the check has passed."""
        return tuple(dict.fromkeys(one.code for one in self.findings if one.weight in STOPS))


def check_domain(asked: Question, names: Names) -> DomainCheck:
    """Look everything up. Never raises: what cannot be looked up is a finding."""
    spf, dkim, dmarc = check_spf(asked, names), check_dkim(asked, names), check_dmarc(asked, names)
    aligned = check_alignment(asked, spf.passes, dkim.passes, dmarc.found)
    reverse = check_reverse_dns(asked.servers, names)
    findings = [
        *check_way(asked),
        *spf.findings,
        *dkim.findings,
        *dmarc.findings,
        *aligned.findings,
        *check_mx(asked.domain, names),
        *reverse.findings,
    ]
    facts = Facts(
        spf=spf.passes,
        dkim=dkim.passes,
        aligned=aligned.passes,
        dmarc=dmarc.found is not None if dmarc.known else None,
        policy=dmarc.found.policy if dmarc.found else "none",
        reverse_dns=reverse.passes,
        tls=asked.tls,
        own_domain=not is_free_mail(asked.domain),
        one_click=asked.receiver_url.startswith("https://") and not leads_here_only(asked.receiver_url),
    )
    return DomainCheck(asked.domain, asked.way, tuple(findings), tuple(outcomes(facts)))
