"""Why a mail is not made: the draft, the mailbox or the recipient is none of which a message can be made."""

from __future__ import annotations

from enrichment_assets.domain.errors import ContractError


class MailRefusedError(ContractError):
    """No message can be made of this; nothing was sent, and nothing will be until somebody changes it."""

    default_code = "mail.refused"
