"""Plain data as a short text that needs no quotes."""

import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tunesmith.packed_text import pack, unpack

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
data = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(data, st.sampled_from([b"", b"true,false,null,0.1"]))
def test_data_come_back(content: Any, dictionary: bytes) -> None:
    text = pack(content, dictionary)
    assert re.fullmatch(r"[\w-]+", text, re.ASCII)
    assert unpack(text, dictionary) == content


@pytest.mark.parametrize(
    "text", ["", "a", "auto", "e30", "$$$$", "é", pack([1, 2, 3])[:-1], pack(float("nan")), pack("x" * 2**21)]
)
def test_any_other_text_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (its words are the caller's)
        unpack(text)
