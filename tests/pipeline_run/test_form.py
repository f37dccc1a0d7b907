import pytest

from tests.pipeline_run.demo import demo
from tunesmith.errors import SpecError
from tunesmith.pipeline_run.form import arguments_of, complete, refuse_garbled

DEFAULTS = {"number": 2, "seconds": 0.0, "error": "", "names": ["a"], "free": {}}


def test_parameters_not_given_take_their_defaults() -> None:
    assert arguments_of(demo, []) == DEFAULTS


def test_texts_are_read_by_the_parameters_types() -> None:
    texts = ["number=7", "seconds=1", "error=1", 'names=["b", "c"]', "free={kind: layers, dense: [1, 2]}"]
    expected = {"number": 7, "seconds": 1, "error": "1", "names": ["b", "c"], "free": {"kind": "layers", "dense": [1, 2]}}
    assert arguments_of(demo, texts) == expected


def test_a_value_may_hold_an_equals_sign() -> None:
    assert arguments_of(demo, ["error=a=b"])["error"] == "a=b"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("number", "number: needs NAME=VALUE"),
        ("nummer=3", "nummer: is no parameter of the pipeline demo; allowed: number, .*did you mean 'number'"),
        ("number=3.5", "number: got '3.5'; needs a whole number"),
        ("seconds=soon", "seconds: got 'soon'; needs a number"),
        ("names=a", "names: got 'a'; needs a list"),
        ("free=[1]", r"free: got '\[1\]'; needs a dictionary"),
        ("free={", "free: got '{'; needs a dictionary"),
        ("error=a python3 script", "error: got 'a python3 script'; a local run cannot pass"),
        ('names=["python3"]', "names: got 'python3'"),
        ("free={a: {python3: 1}}", "free: got 'python3'"),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed(text: str, words: str) -> None:
    with pytest.raises(SpecError, match=f"^{words}"):
        refuse_garbled(arguments_of(demo, [text]))


def test_a_text_that_only_a_local_run_would_garble_is_fine_on_a_cluster() -> None:
    assert arguments_of(demo, ["error=a python3 script"])["error"] == "a python3 script"


def test_python_callers_are_told_of_unknown_names_too() -> None:
    with pytest.raises(SpecError, match="nummer: is no parameter"):
        complete(demo, {"nummer": 3})


def test_python_callers_are_told_of_wrong_types() -> None:
    with pytest.raises(SpecError, match="number: got True; needs a whole number"):
        complete(demo, {"number": True})


def test_a_whole_number_does_where_a_number_is_wanted() -> None:
    assert type(complete(demo, {"seconds": 2})["seconds"]) is float
