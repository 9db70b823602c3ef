"""Files in which a person defines something: workflows, pipelines, profiles."""

from __future__ import annotations

from pathlib import Path

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError

_MAX_FILE = 1_000_000


# opens files of others: a workflow's YAML that a person names: bounded size, UTF-8
def read_definition(path: Path) -> str:
    """The text of a workflow's or pipeline's file. Raises `NotFoundError`, or `ConfigurationError` for what is none."""
    try:
        if path.stat().st_size > _MAX_FILE:
            raise ConfigurationError(f"{path.name}: larger than {_MAX_FILE} bytes", code="file.too_large")
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", code="file.not_found") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path.name}: is not UTF-8 text", code="file.not_utf_8") from None
    except OSError as error:
        raise ConfigurationError(f"{path.name}: cannot be read ({error.strerror})", code="file.unreadable") from None
