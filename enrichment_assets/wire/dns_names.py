"""Asking the DNS, by dnspython: bounded in time, each name once, and a failure is told from an empty answer."""

from __future__ import annotations

from enrichment_assets.domain.mail.dns_names import NOTHING, LookupFailedError, Records, RecordType

SECONDS = 6.0
"""For one name, over all servers and repeats."""

_MOST_VALUES = 200


class DnsNames:
    """Names by a resolver; each is asked once, for as long as this object lives."""

    def __init__(self, servers: tuple[str, ...] = (), port: int = 53) -> None:
        """Ask these servers; none: those of this machine. Raises `LookupFailedError` where it has none."""
        import dns.resolver

        try:
            self._resolver = dns.resolver.Resolver(configure=not servers)
        except dns.resolver.NoResolverConfiguration as error:
            raise LookupFailedError(f"this machine has no DNS server: {error}", code="dns.no_server") from None
        if servers:
            self._resolver.nameservers = list(servers)
            self._resolver.port = port
        self._resolver.timeout, self._resolver.lifetime = SECONDS / 3, SECONDS
        self._known: dict[tuple[str, RecordType], Records] = {}

    def ask(self, name: str, kind: RecordType) -> Records:
        """The records of a name. Raises `LookupFailedError`."""
        key = (name.lower().rstrip("."), kind)
        if key not in self._known:
            self._known[key] = self._asked(*key)
        return self._known[key]

    def _asked(self, name: str, kind: RecordType) -> Records:
        import dns.exception
        import dns.resolver
        import dns.reversename

        try:
            asked = dns.reversename.from_address(name) if kind is RecordType.PTR else f"{name}."
            answer = self._resolver.resolve(asked, kind.value, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return NOTHING
        except (dns.exception.DNSException, ValueError, OSError) as error:
            # No server's words in it: what is shown to people says which name, and what kind of failure.
            why = type(error).__name__
            raise LookupFailedError(
                f"{kind.value} of {name} could not be looked up ({why})", code="dns.failed"
            ) from None
        return Records(tuple(_text(record, kind) for record in list(answer.rrset or ())[:_MOST_VALUES]))


def _text(record: object, kind: RecordType) -> str:
    if kind is RecordType.TXT:
        strings: tuple[bytes, ...] = getattr(record, "strings", ())
        return b"".join(strings).decode("utf-8", errors="replace")  # RFC 7208, 3.3: joined without blanks
    return str(record).lower().rstrip(".")
