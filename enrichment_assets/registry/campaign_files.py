"""Campaign files: YAML into `CampaignFile`. Apart from the loader, which every command imports."""

from __future__ import annotations

from pydantic import ValidationError

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.outreach.campaigns import CampaignFile
from enrichment_assets.domain.yaml_text import line_numbers, load_yaml
from enrichment_assets.registry.loader import explain


def parse_campaign(text: str, name: str) -> CampaignFile:
    """One campaign out of YAML.

    Args:
        text: The file.
        name: What an error calls it.

    Raises:
        ConfigurationError: It is no YAML, or no campaign; names every field that is wrong, with its line.
    """
    value = load_yaml(text, name)
    try:
        return CampaignFile.model_validate(value)
    except ValidationError as error:
        told = explain(error, CampaignFile, line_numbers(text))
        raise ConfigurationError(f"{name}: {told}", code="file.fields_invalid") from None
