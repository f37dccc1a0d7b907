"""What follows from a space's one method: sampling, replaying, listing."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Int, Uniform
from tunesmith.spaces._space import Chooser, Space, canonical


@dataclass(frozen=True)
class Network(Space):
    """Some layers, each with a width that depends on the one before, and a dropout for deep ones."""

    most: int = 3

    def define(self, choose: Chooser) -> Any:
        depth = choose.int("depth", 1, self.most)
        widths = [choose(f"width_{i}", Choice((8, 16, 32)[: 3 - i])) for i in range(depth)]
        dropout = choose("dropout", Choice((0.0, 0.5))) if depth > 1 else None
        return widths, dropout

    def to_json(self) -> dict[str, Any]:
        return {"kind": "network", "most": self.most}


@dataclass(frozen=True)
class Line(Space):
    """One number, after one choice."""

    def define(self, choose: Chooser) -> Any:
        return choose("kind", Choice(("a", "b"))), choose("x", Uniform(0, 1))

    def to_json(self) -> dict[str, Any]:
        return {"kind": "line"}


def test_a_finite_space_lists_every_candidate_once() -> None:
    listed = [canonical(candidate) for candidate in Network().enumerate()]
    assert len(listed) == 3 + 3 * 2 * 2 + 3 * 2 * 1 * 2
    assert len(set(listed)) == len(listed)


def test_a_listing_holds_exactly_the_candidates_that_sampling_finds() -> None:
    rng = np.random.default_rng(0)
    sampled = {canonical(Network().sample(rng)) for _ in range(2000)}
    assert sampled == {canonical(candidate) for candidate in Network().enumerate()}


def test_a_listing_is_lazy() -> None:
    @dataclass(frozen=True)
    class Huge(Network):
        def define(self, choose: Chooser) -> Any:
            return [choose.int(f"x{i}", 0, 999_999) for i in range(50)]

    assert [c["x49"] for c in itertools.islice(Huge().enumerate(), 3)] == [0, 1, 2]


def test_a_continuous_space_cannot_be_listed() -> None:
    with pytest.raises(ValueError, match="x is continuous"):
        list(Line().enumerate())


def test_a_space_without_parameters_has_one_candidate() -> None:
    @dataclass(frozen=True)
    class Fixed(Line):
        def define(self, choose: Chooser) -> Any:
            return 1

    assert list(Fixed().enumerate()) == [{}]


def test_a_candidate_becomes_what_it_stands_for() -> None:
    assert Network().realize({"depth": 2, "width_0": 32, "width_1": 8, "dropout": 0.5}) == ([32, 8], 0.5)


def test_every_sampled_candidate_is_accepted() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        candidate = Network().sample(rng)
        widths, _ = Network().realize(candidate)
        assert len(widths) == candidate["depth"]


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        ({"depth": 1}, "candidate.width_0: is missing; allowed: {choice: [8, 16, 32]}"),
        ({}, "candidate.depth: is missing; allowed: {int: [1, 3]}"),
        ({"depth": 9}, "candidate.depth: got 9; allowed: {int: [1, 3]}"),
        ({"depth": True, "width_0": 8}, "candidate.depth: got True; allowed"),
        ({"depth": 1, "width_0": 8.0}, "candidate.width_0: got 8.0; allowed: {choice: [8, 16, 32]}"),
        ({"depth": 1, "width_0": "8"}, "candidate.width_0: got '8'; allowed"),
        ({"depth": 1, "width_0": 8, "dropuot": 0.5}, "candidate.dropuot: is no active parameter; active: depth, width_0"),
        ({"depth": 1, "width_0": 8, "width_1": 8}, "(did you mean 'width_0'?)"),
    ],
)
def test_a_candidate_that_does_not_fit_is_refused_by_name(candidate: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        Network().realize(candidate)
    assert message in str(caught.value)


def test_a_name_chosen_twice_is_refused() -> None:
    chooser = Chooser(lambda name, distribution: distribution.quantile(0.5))
    chooser.uniform("x", 0, 1)
    with pytest.raises(SpecError, match="'x' is chosen twice"):
        chooser.uniform("x", 0, 1)


def test_every_way_to_choose_asks_for_its_distribution() -> None:
    chooser = Chooser(lambda name, distribution: distribution.quantile(0.5))
    values = (
        chooser.uniform("a", 0, 2, step=0.5),
        chooser.loguniform("b", 0.01, 1),
        chooser.int("c", 1, 9, step=2),
        chooser.logint("d", 1, 100),
        chooser.normal("e", 3, 1, clip=(0, 5)),
        chooser.lognormal("f", 0, 1),
        chooser.choice("g", ["x"]),
    )
    assert values == (1.0, pytest.approx(0.1), 5, 7, 3.0, 1.0, "x")
    assert list(chooser.candidate) == list(chooser.distributions) == list("abcdefg")
    assert chooser.distributions["c"] == Int(1, 9, 2)


def test_sampling_follows_the_prior() -> None:
    rng = np.random.default_rng(2)
    drawn = [Line().sample(rng) for _ in range(1000)]
    assert np.mean([c["kind"] == "a" for c in drawn]) == pytest.approx(0.5, abs=0.06)
    assert np.quantile(np.array([c["x"] for c in drawn], dtype=float), [0.25, 0.75]) == pytest.approx([0.25, 0.75], abs=0.06)


def test_equal_candidates_have_one_text_and_hash_whatever_their_keys_order() -> None:
    assert canonical({"b": 1, "a": True}) == canonical({"a": True, "b": 1})
    assert canonical({"a": True}) != canonical({"a": 1}) != canonical({"a": "1"})
