"""Which mailbox an e-mail address leads to: by it a person is known again, however the address is written."""

from __future__ import annotations

# Rules of the mailbox providers, as their own help pages give them (Gmail: "Dots don't matter in Gmail addresses";
# Gmail, Outlook.com, iCloud Mail, Fastmail, Proton: an alias after `+`; Yahoo: a disposable name after `-`).
_SAME_MAIL = {
    "googlemail.com": "gmail.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
}
_DOTLESS = frozenset({"gmail.com"})
_HYPHENED = ("yahoo.", "ymail.", "rocketmail.")


def mailbox(address: str) -> str:
    """The mailbox behind a normalised address: without the part after `+`, and as its provider's rules have it.

    `+` begins an alias wherever it is seen in use: who said no under `ann+news@acme.com` is not written to as `ann`.
    """
    local, _, domain = address.rpartition("@")
    domain = _SAME_MAIL.get(domain, domain)
    plain = local.partition("+")[0] or local
    if domain in _DOTLESS:
        plain = plain.replace(".", "") or plain
    if domain.startswith(_HYPHENED):
        plain = plain.partition("-")[0] or plain
    return f"{plain}@{domain}"
