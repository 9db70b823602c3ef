"""The largest request that a prompt can make bounds every request that it makes, whatever a page says."""

from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.prompts.rendering import PromptRenderer
from enrichment_assets.providers import build_providers
from tests.harness.models import prompt_step

PIECES = st.sampled_from(
    [
        "pumps",
        "\t\t\t",
        "   ",
        '"',
        "\\",
        "\n\n",
        "日本",
        "é",
        "👩‍👩‍👧",
        "1",
        "999",
        "a" * 30,
        "<<<DATA",
        ".",
        "\x00",
        "ﷺ",
    ]
)
WORKFLOW = prompt_step("score", prompt={"max_input_tokens": 100})
RENDERERS = [
    PromptRenderer(WORKFLOW.model_copy(update={"provider": name}), build_providers(None)[name])
    for name in ("openai", "anthropic", "perplexity")
]


@given(pieces=st.lists(PIECES, min_size=1, max_size=12), times=st.integers(1, 60))
def test_no_page_makes_a_larger_request(pieces: list[str], times: int) -> None:
    page = "x" + "".join(pieces) * times
    for renderer in RENDERERS:
        request = renderer.render({"original": {"page": page}, "company_name": page})
        assert len(request.content or b"") <= renderer.most_bytes({})


def test_the_worst_page_comes_near_the_bound() -> None:
    """Else the bound says nothing: six letters and three tabs are one token of an estimate and 12 bytes of JSON."""
    page = "abcdef\t\t\t" * 100
    sizes = [len(r.render({"original": {"page": page}, "company_name": ""}).content or b"") for r in RENDERERS]
    assert all(size > r.most_bytes({}) - 200 for size, r in zip(sizes, RENDERERS, strict=True))
