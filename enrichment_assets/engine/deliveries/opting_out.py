"""The link by which the address that a delivery writes to says stop, for requests that carry it themselves."""

from __future__ import annotations

from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.mail.opt_out import OptOut, leads_here_only, opt_out_link
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.store.deliveries.planned import PlannedLead


def opt_out_of(
    client_id: int, planned: PlannedLead, receiver_url: str, hasher: Hasher | None, *, simulated: bool
) -> str:
    """The link of a planned lead's `email`.

    Raises:
        ContractError: The lead has no e-mail address.
        ConfigurationError: There is no pepper to seal the link with, or recipients do not reach the receiver.
    """
    if leads_here_only(receiver_url) and not simulated:
        raise ConfigurationError(
            f"recipients cannot reach {receiver_url} to unsubscribe: set ENRICH_RECEIVER_URL to where they can",
            code="opt_out.receiver_unreachable",
        )
    address = normalise_email(planned.lead.get("email"))
    if address is None:
        raise ContractError("the lead has no e-mail address that could unsubscribe", code="opt_out.no_address")
    if hasher is None:
        raise ConfigurationError("no link to unsubscribe can be made without the pepper", code="opt_out.no_pepper")
    return opt_out_link(receiver_url, OptOut(client_id, address, planned.key), hasher)
