"""Objectives and constraints, as they are written and as they judge."""

import math

import pytest

from tunesmith.aims import Aims, Constraint, Objective, read_constraints
from tunesmith.errors import SpecError


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("latency_ms <= 5", Constraint("latency_ms", "<=", 5.0)),
        ("  val_accuracy>=0.95 ", Constraint("val_accuracy", ">=", 0.95)),
        ("parameters <= 1e6", Constraint("parameters", "<=", 1e6)),
        ("loss >= -.5", Constraint("loss", ">=", -0.5)),
        ("a/b.c <= +2.", Constraint("a/b.c", "<=", 2.0)),
    ],
)
def test_a_constraint_is_a_metric_a_relation_and_a_number(text: str, constraint: Constraint) -> None:
    assert Constraint.parse(text) == constraint
    assert Constraint.parse(str(constraint)) == constraint


@pytest.mark.parametrize(
    "text", ["", "latency", "latency < 5", "latency = 5", "<= 5", "a <= b", "a <= nan", "5 <= a <= 6", "a <= 1e999"]
)
def test_anything_else_is_refused_with_its_position(text: str) -> None:
    with pytest.raises(SpecError, match=r"^constraints\.1: got .*; needs a metric, <= or >=, and a number"):
        read_constraints(["a <= 1", text])


def test_equal_constraints_have_one_text() -> None:
    assert str(Constraint.parse("a<=5.0")) == str(Constraint.parse("a  <= 5")) == "a <= 5"


def test_a_miss_counts_as_a_share_of_its_bound() -> None:
    aims = Aims((Objective("loss"),), (Constraint("a", "<=", 10), Constraint("b", ">=", 0.5), Constraint("c", "<=", 0)))
    assert aims.violation({"a": 10, "b": 0.5, "c": -1}) == 0
    assert aims.violation({"a": 15, "b": 0.25, "c": 2}) == 0.5 + 0.5 + 2
    assert aims.violation({"a": 1, "b": 1}) == aims.violation({"a": math.nan, "b": 1, "c": 0}) == math.inf


def test_every_metric_asked_for_is_named_once_the_first_objective_first() -> None:
    aims = Aims((Objective("loss"), Objective("latency_ms")), (Constraint("size", "<=", 1), Constraint("loss", "<=", 1)))
    assert aims.metrics == ("loss", "latency_ms", "size")


def test_aims_are_read_from_what_they_were_recorded_as() -> None:
    aims = Aims((Objective("accuracy", "maximize"), Objective("latency_ms")), (Constraint("size", "<=", 1e6),))
    assert Aims.of(aims.to_json()) == aims
    assert "constraints" not in Aims((Objective("loss"),)).to_json()


def test_an_objective_that_is_missing_or_not_finite_is_infinitely_bad() -> None:
    aims = Aims((Objective("accuracy", "maximize"), Objective("latency_ms")))
    assert aims.losses({"accuracy": 0.5, "latency_ms": 3.0}) == (-0.5, 3.0)
    assert aims.losses({"accuracy": math.nan}) == (math.inf, math.inf)
