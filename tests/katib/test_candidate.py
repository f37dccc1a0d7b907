"""A candidate's way through Katib: as one text, under a name that tells its number."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunesmith.errors import SpecError
from tunesmith.katib.candidate import decode, encode, issue_number, trial_name
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


@pytest.mark.parametrize("text", ["", "auto", "e30 ", "W10", "eyJhIjpbXX0", "eyJhIjox", "$$$$", "é"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"candidate: got .*; needs base64url of a candidate's JSON"):
        decode(text)


@pytest.mark.parametrize("experiment", ["exp", "a" * 49, "a" * 50, "a" * 63, "a.b-" * 20, "run-0042-deadbeef"])
@pytest.mark.parametrize("number", [0, 17, 12345])
def test_a_trials_name_is_a_label_that_tells_its_number(experiment: str, number: int) -> None:
    name = trial_name(experiment, "{}", number, "e30")
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name)
    assert len(name) <= 63
    assert issue_number(name) == number
    assert name.startswith(experiment[:40].rstrip("-."))


def test_whatever_differs_gives_another_name() -> None:
    base = ("exp", "{}", 1, "e30")
    others = [("exq", "{}", 1, "e30"), ("exp", "{ }", 1, "e30"), ("exp", "{}", 2, "e30"), ("exp", "{}", 1, "e31")]
    assert len({trial_name(*arguments) for arguments in [base, *others]}) == 5
    assert trial_name(*base) == trial_name(*base)


@pytest.mark.parametrize("name", ["exp-abcdefgh", "exp-1-0011aabb", "0001-0011aabb", "exp-0001", ""])
def test_a_name_of_another_making_has_no_number(name: str) -> None:
    assert issue_number(name) is None
