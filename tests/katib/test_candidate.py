"""A candidate's way through Katib: as one text, under a name that tells its number."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunesmith.errors import SpecError
from tunesmith.katib.candidate import DICTIONARY, decode, encode, issue_number, trial_name
from tunesmith.spaces.parameters import Parameters

values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.dictionaries(st.text(), values))
def test_a_candidate_comes_back_with_its_types(candidate: dict[str, bool | int | float | str | None]) -> None:
    text = encode(candidate)
    assert re.fullmatch(r"[\w-]+", text, re.ASCII)
    assert json.dumps(decode(text), sort_keys=True) == json.dumps(candidate, sort_keys=True)


def test_a_sampled_candidate_comes_back_as_it_was() -> None:
    space = Parameters({"x": {"uniform": [0, 1]}, "b": {"choice": [True, 1, 1.0, None, "ü/\"'"]}, "n": {"logint": [1, 1000]}})
    rng = np.random.default_rng(0)
    for _ in range(50):
        candidate = space.sample(rng)
        assert decode(encode(candidate)) == candidate
        space.realize(decode(encode(candidate)))


def test_a_text_of_this_making_can_be_read_for_ever() -> None:
    """Texts stay in a cluster while our images are changed: neither form nor dictionary may ever change."""
    candidate = {"conv1.filters": 32, "dense": 2, "optimizer": "adam", "learning_rate": 0.00123, "x": None, "ü": True}
    text = "i8ZIsLCIwueQCiCOKTUwSEtWArkEYrihkTHUfEiGArkkFgA"
    assert decode(encode(candidate)) == candidate
    assert decode(text) == candidate


def packed(text: str) -> str:
    """Another's text, packed as ours."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=DICTIONARY)
    return base64.urlsafe_b64encode(packer.compress(text.encode()) + packer.flush()).decode().rstrip("=")


FOREIGN = [
    '{"a":1}',
    '["a"]',
    '["a","a",1,2]',
    "[1,2]",
    '["a",[]]',
    '["a",NaN]',
    '["a",',
    '["a",1]["b"]',
    "[" * 100_000,
    "3",
    "",
]


@pytest.mark.parametrize("text", ["", "auto", "e30 ", "W10", "eyJhIjoxfQ", "$$$$", "é", *map(packed, FOREIGN)])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"candidate: got .*; needs what Tunesmith made of a candidate"):
        decode(text)


def test_a_text_that_unpacks_to_a_flood_is_refused() -> None:
    with pytest.raises(SpecError, match="candidate: got"):
        decode(packed('["a","' + "x" * 2**21 + '"]'))


@pytest.mark.parametrize("experiment", ["exp", "a" * 49, "a" * 50, "a" * 63, "a.b-" * 20, "run-0042-deadbeef"])
@pytest.mark.parametrize("number", [0, 17, 12345])
def test_a_trials_name_is_a_label_that_tells_its_number(experiment: str, number: int) -> None:
    name = trial_name("study", experiment, number, {"candidate": "e30"})
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name)
    assert len(name) <= 63
    assert issue_number(name) == number
    assert name.startswith(experiment[:40].rstrip("-."))


def test_whatever_differs_gives_another_name() -> None:
    base = ("study", "exp", 1, {"x": "1"})
    others = [
        ("other", "exp", 1, {"x": "1"}),
        ("study", "exq", 1, {"x": "1"}),
        ("study", "exp", 2, {"x": "1"}),
        ("study", "exp", 1, {"x": "2"}),
        ("study", "exp", 1, {"y": "1"}),
    ]
    assert len({trial_name(*arguments) for arguments in [base, *others]}) == 6
    assert trial_name(*base) == trial_name(*base)


def test_the_order_of_parameters_does_not_matter() -> None:
    assert trial_name("s", "exp", 1, {"x": "1", "y": "2"}) == trial_name("s", "exp", 1, {"y": "2", "x": "1"})


@pytest.mark.parametrize("name", ["exp-abcdefgh", "exp-1-0011aabb", "0001-0011aabb", "exp-0001", ""])
def test_a_name_of_another_making_has_no_number(name: str) -> None:
    assert issue_number(name) is None
