"""Katib's configuration is edited without a change to what others wrote into it."""

from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from tunesmith.errors import ClusterError
from tunesmith.katib.config_text import Edited, with_algorithms

OURS = [
    {"algorithmName": f"tunesmith-{name}", "image": "registry/suggestion:1", "resources": {"limits": {"cpu": "1"}}}
    for name in "ab"
]

# What YAML's readers disagree about, anchors, flow and block style, and an entry with a name that is nearly ours.
SHIPPED = """\
---
# shipped with Katib
apiVersion: config.kubeflow.org/v1beta1
kind: KatibConfig
init:
  certGenerator: {enable: yes}
  controller:
    trialResources: [Job.v1.batch]
runtime:
  metricsCollectors:
    - kind: StdOut
      image: ghcr.io/kubeflow/katib/file-metrics-collector:v0.19.0
      resources: &small {limits: {memory: 1e3, cpu: 0644}}
  suggestions:
    - algorithmName: random
      image: "ghcr.io/kubeflow/katib/suggestion-hyperopt:v0.19.0"
      resources: *small
    - algorithmName: not-tunesmith-a
      image: 2001-12-14
      command:
        - sh
        - -c
        - |
          echo on
          sleep 1:30
    - {algorithmName: 'tunesmith', image: 'own: thing'}
  earlyStoppings:
    - algorithmName: medianstop
      image: ghcr.io/kubeflow/katib/earlystopping-medianstop:v0.19.0
"""


def letters(text: str) -> Any:
    """Return the content with every scalar as it is written."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def values(text: str) -> Any:
    return yaml.safe_load(text)


def algorithms(text: str) -> list[str]:
    return [entry["algorithmName"] for entry in letters(text)["runtime"]["suggestions"]]


def test_new_entries_come_last_and_all_else_keeps_every_character() -> None:
    edited = with_algorithms(SHIPPED, OURS)
    assert edited.added == ("tunesmith-a", "tunesmith-b")
    assert algorithms(edited.text) == ["random", "not-tunesmith-a", "tunesmith", "tunesmith-a", "tunesmith-b"]
    rest = letters(edited.text)
    assert values(edited.text)["runtime"]["suggestions"][3:] == OURS
    del rest["runtime"]["suggestions"][3:]
    assert rest == letters(SHIPPED)
    assert values(edited.text)["init"] == values(SHIPPED)["init"]


def test_texts_that_katib_would_take_for_numbers_are_quoted() -> None:
    text = with_algorithms(SHIPPED, [{"algorithmName": "tunesmith-a", "env": [{"name": "N", "value": "1e3"}]}]).text
    assert "value: '1e3'" in text


def test_the_same_again_changes_nothing() -> None:
    once = with_algorithms(SHIPPED, OURS).text
    assert with_algorithms(once, OURS) == Edited(once)
    assert not with_algorithms(once, OURS)


def test_an_entry_that_is_there_is_replaced_in_its_place() -> None:
    once = with_algorithms(SHIPPED, OURS).text.replace("algorithmName: random", "algorithmName: tunesmith-a", 1)
    edited = with_algorithms(once, OURS)
    assert (edited.added, edited.replaced, edited.removed) == ((), ("tunesmith-a",), ("tunesmith-a",))
    assert algorithms(edited.text) == ["tunesmith-a", "not-tunesmith-a", "tunesmith", "tunesmith-b"]


def test_a_strategy_that_is_no_more_goes() -> None:
    edited = with_algorithms(with_algorithms(SHIPPED, OURS).text, OURS[:1])
    assert edited.removed == ("tunesmith-b",)
    assert algorithms(edited.text)[-1] == "tunesmith-a"


def test_taken_out_again_nothing_is_left_of_them() -> None:
    edited = with_algorithms(with_algorithms(SHIPPED, OURS).text, [])
    assert edited.removed == ("tunesmith-a", "tunesmith-b")
    assert letters(edited.text) == letters(SHIPPED)


@pytest.mark.parametrize(
    "text", ["kind: KatibConfig", "runtime:", "runtime: {}", "runtime: {suggestions: }", "{runtime: {suggestions: []}}"]
)
def test_a_configuration_without_algorithms_gets_a_list_of_them(text: str) -> None:
    edited = with_algorithms(text, OURS)
    assert values(edited.text)["runtime"]["suggestions"] == OURS
    assert values(with_algorithms(edited.text, []).text)["runtime"]["suggestions"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no keys"),
        ("- a", "holds no keys"),
        ("a: [", "is no YAML"),
        ("a: 1\n---\nb: 2", "is no YAML"),
        ("runtime: [a]", "runtime of"),
        ("runtime: {suggestions: {random: image}}", "suggestions of"),
    ],
)
def test_what_is_no_configuration_of_katibs_is_left_as_it_is(text: str, said: str) -> None:
    with pytest.raises(ClusterError, match=f"{said}.*katib-config|katib-config.*{said}"):
        with_algorithms(text, OURS)


scalars = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12) | st.sampled_from(
    [
        "on",
        "no",
        "1e3",
        "0644",
        "1:30",
        "~",
        "null",
        "=",
        "<<",
        "2001-12-14",
        " x ",
        "#",
        "- a",
        "a: b",
        "&a",
        "*a",
        "!t",
        "'",
        '"',
    ]
)
entries = st.dictionaries(
    scalars.filter(lambda key: key not in ("algorithmName", "<<", "=")), scalars | st.lists(scalars, max_size=2), max_size=3
)


@given(st.lists(st.tuples(scalars, entries), max_size=4), st.sampled_from(["|", ">", "'", '"', None]), st.booleans())
def test_whatever_others_wrote_keeps_every_character(others: list[tuple[str, dict[str, Any]]], style: Any, flow: bool) -> None:
    foreign = [{"algorithmName": f"x{name}", **rest} for name, rest in others]
    text = yaml.safe_dump(
        {"runtime": {"suggestions": foreign}}, default_style=style, default_flow_style=flow, allow_unicode=True
    )
    edited = with_algorithms(text, OURS).text
    assert letters(edited)["runtime"]["suggestions"][: len(foreign)] == letters(text)["runtime"]["suggestions"]
    assert values(edited)["runtime"]["suggestions"] == [*values(text)["runtime"]["suggestions"], *OURS]
