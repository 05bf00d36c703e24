"""The streaming reader agrees with the one that holds the whole document."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.releases import json_stream
from review.releases.json_stream import elements, value

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(st.text(max_size=5), anything, max_size=5)


@given(documents, st.lists(anything, max_size=8), st.sampled_from([1, 2, 7, 65536]), st.sampled_from([None, 1]))
def test_it_finds_what_json_loads_finds(document, wanted, chunk, indent):
    document["wanted"] = wanted
    data = json.dumps(document, indent=indent).encode()
    before, json_stream.CHUNK = json_stream.CHUNK, chunk
    try:
        assert list(elements(io.BytesIO(data), "wanted")) == wanted
        assert all(value(io.BytesIO(data), key) == said for key, said in document.items())
    finally:
        json_stream.CHUNK = before


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"a": [1, 2}', '{"a": [1 2]}', '{"a": [1]} x', '{"a": [1],}', '{"a": [NaN]}', '{"b": []}', '{"a": 1}'],
)
def test_it_refuses_what_is_no_such_document(text):
    with pytest.raises(ValueError):
        list(elements(io.BytesIO(text.encode()), "a"))
