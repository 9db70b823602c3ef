"""Where alerts go: one function per kind of channel, over the address that an environment variable holds.

The address is a secret as a whole: it stands in the variable and in the request, and in no message, log or row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.alerts.notices import ChannelKind, Fate, Notice, Said
from enrichment_assets.domain.errors import ConfigurationError, MissingVariableError
from enrichment_assets.domain.variables import is_own_variable

SHORTEST_PIECE = 12
"""Characters of an address's part that is taken out of a channel's words: shorter ones are `services` or `webhooks`."""

Send = Callable[[Sequence[Notice]], Said]


@dataclass(frozen=True, slots=True)
class Address:
    """A channel as a rule names it: `slack:OPS_SLACK_URL`.

    Raises:
        ConfigurationError: It is none, or the variable is the platform's own.
    """

    kind: ChannelKind
    variable: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `kind:VARIABLE`."""
        kind, _, variable = text.strip().partition(":")
        if kind not in set(ChannelKind) or not (variable.isidentifier() and variable.isascii()):
            raise ConfigurationError(
                f"a channel is written as slack:OPS_SLACK_URL: one of {', '.join(ChannelKind)}, and the NAME of the "
                "environment variable that holds its address",
                code="alert.channel",
            )
        if is_own_variable(variable):
            raise ConfigurationError(
                f"{variable} is a setting of the platform or the system, and no address of a channel",
                code="alert.variable_reserved",
            )
        return cls(ChannelKind(kind), variable)

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.variable}"


def opened_channel(address: Address, sandbox_url: str | None, environment: Mapping[str, str] | None = None) -> Send:
    """How to send to a channel; with a simulator, to what stands there for it, and by no other way.

    Raises:
        MissingVariableError: The variable is not set in this process.
        ConfigurationError: It holds no address of that kind.
    """
    value = (os.environ if environment is None else environment).get(address.variable, "").strip()
    if not value:
        raise MissingVariableError(
            f"the channel {address} needs the environment variable {address.variable}, which is not set",
            address.variable,
        )
    return _hidden(_opened(address, value, sandbox_url), value)


def _opened(address: Address, value: str, sandbox_url: str | None) -> Send:
    from enrichment_assets.wire.channels import chats, mail, pagers
    from enrichment_assets.wire.channels.posting import Target

    kind, variable = address.kind, address.variable
    if kind is ChannelKind.EMAIL:
        mailbox = mail.Mailbox.parse(value, variable)
        if sandbox_url and not mailbox.is_local:
            return _only_simulated
        return lambda notices: mail.send_mail(mailbox, notices)
    if kind is ChannelKind.APPRISE:
        from enrichment_assets.wire.channels import apprise_services

        apprise_services.check_apprise(value, variable)
        if sandbox_url:
            return _only_simulated
        return lambda notices: apprise_services.send_apprise(value, variable, notices)
    key = ""
    if kind is ChannelKind.PAGERDUTY:
        target, key = pagers.read_routing_key(value, variable)
    else:
        target = Target.of(value, variable)
    if sandbox_url:
        target = target.simulated(sandbox_url, kind.value)
    senders: Mapping[ChannelKind, Send] = {
        ChannelKind.SLACK: lambda notices: chats.send_slack(target, notices),
        ChannelKind.TEAMS: lambda notices: chats.send_teams(target, notices),
        ChannelKind.DISCORD: lambda notices: chats.send_discord(target, notices),
        ChannelKind.PAGERDUTY: lambda notices: pagers.send_pagerduty(target, key, notices[0]),
        ChannelKind.WEBHOOK: lambda notices: pagers.send_webhook(target, notices[0]),
    }
    return senders[kind]


def _only_simulated(notices: Sequence[Notice]) -> Said:
    return Said(Fate.REFUSED, "the platform runs for the simulator, which has no such channel: nothing was sent")


def _hidden(send: Send, value: str) -> Send:
    """The same, and no word of the channel's carries a part of its address."""
    from urllib.parse import urlsplit

    from enrichment_assets.wire.echo import EchoGuard

    path = urlsplit(value).path
    pieces = {value, path, *path.split("/"), *value.split("&"), *value.split("=")}
    guard = EchoGuard({f"address {n}": piece for n, piece in enumerate(sorted(pieces)) if len(piece) >= SHORTEST_PIECE})

    def sent(notices: Sequence[Notice]) -> Said:
        said = send(notices)
        text = guard.without_secrets(said.text.encode()).decode("utf-8", "replace")
        return Said(said.fate, text, said.retry_after)

    return sent
