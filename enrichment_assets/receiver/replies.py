"""The receiver's answers: constant bytes, in which no token shows."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Message


@dataclass(frozen=True, slots=True)
class Reply:
    """A constant answer, ready to send."""

    status: int
    word: str
    extra: tuple[tuple[bytes, bytes], ...] = ()
    early: bool = False

    def messages(self) -> tuple[Message, Message]:
        """The two ASGI messages. An early reply, given before the body was read, closes the connection."""
        body = b'{"status":"%s"}' % self.word.encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *self.extra]
        if self.early:
            headers.append((b"connection", b"close"))
        start: Message = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": body, "more_body": self.early}


_AGAIN = ((b"retry-after", b"2"),)
_ALLOW = ((b"allow", b"POST, GET, HEAD"),)

ACCEPTED = Reply(202, "accepted").messages()
TAKEN = Reply(200, "accepted").messages()
DUPLICATE = Reply(200, "already accepted").messages()
LISTENING = Reply(200, "listening").messages()
ENOUGH = Reply(429, "enough callbacks for this call", ((b"retry-after", b"86400"),)).messages()
UNKNOWN = Reply(404, "unknown or expired").messages()
UNAVAILABLE = Reply(503, "try again later", _AGAIN).messages()

UNKNOWN_EARLY = Reply(404, "unknown or expired", early=True).messages()
NOT_ALLOWED = Reply(405, "method not allowed", _ALLOW, early=True).messages()
TOO_SLOW = Reply(408, "body came too slowly", early=True).messages()
TOO_LARGE = Reply(413, "body is too large", early=True).messages()
TOO_MUCH_AT_ONCE = Reply(429, "too much at once", _AGAIN, early=True).messages()
FULL = Reply(503, "try again later", _AGAIN, early=True).messages()
