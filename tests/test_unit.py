import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import StrataError
from analysis.unit import Unit

MODELS = st.text(
    st.characters(blacklist_characters="/", blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1
)
LAYERS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1)


@given(MODELS, LAYERS, st.integers(0, 99_999))
def test_an_address_reads_back_as_the_unit_that_wrote_it(model: str, layer: str, channel: int) -> None:
    assert Unit.parse(str(Unit(model, layer, channel))) == Unit(model, layer, channel)


@pytest.mark.parametrize("text", ["", "squeezenet", "squeezenet/features.3", "squeezenet/features.3:x", "a:1", "/l:1"])
def test_what_is_no_address_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(StrataError, match="model/layer:channel"):
        Unit.parse(text)
