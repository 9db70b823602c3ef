"""The statements on authenticators and recovery codes: each code counts once, whoever else tries it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from enrichment_assets.store.database import Connection


def set_totp(connection: Connection, user_id: int, sealed: bytes | None) -> None:
    """Keep an authenticator's secret that no code has confirmed yet; None takes it away. Recovery codes end."""
    connection.execute("update users set totp_sealed = %s, totp_step = null where id = %s", (sealed, user_id))
    connection.execute("delete from recovery_codes where user_id = %s", (user_id,))


def use_step(connection: Connection, user_id: int, step: int) -> bool:
    """Let a code's time step count, once: False where it, or a later one, has counted already."""
    row = connection.execute(
        "update users set totp_step = %(step)s where id = %(user)s and coalesce(totp_step, 0) < %(step)s returning id",
        {"step": step, "user": user_id},
    ).fetchone()
    return row is not None


def set_recovery_codes(connection: Connection, user_id: int, hashes: Sequence[bytes]) -> None:
    """Keep the hashes of new recovery codes."""
    connection.execute(
        "insert into recovery_codes (user_id, hash) select %s, unnest(%s::bytea[])", (user_id, list(hashes))
    )


def use_recovery_code(connection: Connection, user_id: int, code_hash: bytes) -> bool:
    """Let a recovery code count, once."""
    row = connection.execute(
        "delete from recovery_codes where user_id = %s and hash = %s returning user_id", (user_id, code_hash)
    ).fetchone()
    return row is not None
