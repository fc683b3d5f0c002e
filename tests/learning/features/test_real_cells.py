"""What `colour-texture` is worth on real red cells of thirteen unequal types."""

import pytest

from tests.benchmarks.encoding import find_chula, measure_encoding


@pytest.mark.slow
@pytest.mark.skipif(find_chula() is None, reason="The Chula RBC-12 sample is absent: set CONCORD_SHARED.")
def test_linear_heads_on_colour_texture_pass_the_bar_on_fields_not_seen() -> None:
    """Every second field only, for time; the whole set gives more (docs/adr/0004-learning.md)."""
    result = measure_encoding(every=2)
    assert result["accuracy"] >= 0.67
    assert result["macro_f1"] >= 0.51
