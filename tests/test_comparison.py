import pytest

from tunesmith.comparison import decide
from tunesmith.errors import SpecError
from tunesmith.evaluate import Evaluation
from tunesmith.figures import Figures
from tunesmith.latency import Latency


def judged(fingerprint: str = "f", **metrics: float) -> Evaluation:
    task = "regression" if "r2" in metrics else "classification"
    return Evaluation(task, 100, Figures(metrics, {}), 1, 1, Latency(1.0, 1.0), fingerprint)


def test_the_first_model_is_promoted() -> None:
    decision = decide(judged(accuracy=0.2), None)
    assert decision.promote
    assert "no model in use yet" in decision.reason


@pytest.mark.parametrize(("new", "promote"), [(0.91, True), (0.90, False), (0.89, False)])
def test_only_a_better_model_is_promoted(new: float, promote: bool) -> None:
    assert decide(judged(accuracy=new), judged(accuracy=0.90)).promote is promote


def test_a_margin_keeps_the_model_in_use_from_a_slightly_better_one() -> None:
    champion = judged(accuracy=0.90)
    assert not decide(judged(accuracy=0.905), champion, margin=0.01).promote
    assert decide(judged(accuracy=0.92), champion, margin=0.01).promote


def test_of_errors_the_lower_is_better() -> None:
    champion = judged(r2=0.5, rmse=2.0)
    assert decide(judged(r2=0.4, rmse=1.5), champion, "rmse").promote
    decision = decide(judged(r2=0.4, rmse=2.5), champion, "rmse", 0.1)
    assert not decision.promote
    assert decision.reason == "rmse 2.5000, the model in use has 2.0000: 0.5000 worse (needs more than 0.1)"


def test_the_task_decides_the_metric_where_none_is_named() -> None:
    assert decide(judged(r2=0.4, rmse=1.0), None).metric == "r2"
    assert decide(judged(accuracy=0.4, macro_f1=0.3), None).metric == "accuracy"


def test_figures_of_other_examples_are_not_compared() -> None:
    with pytest.raises(SpecError, match="different test examples"):
        decide(judged(accuracy=0.9), judged("g", accuracy=0.8))


def test_mistakes_are_told_with_what_is_allowed() -> None:
    with pytest.raises(SpecError, match=r"compare_by: 'acuracy' is unknown; allowed: auto, accuracy.*did you mean 'accuracy'"):
        decide(judged(accuracy=0.9), None, "acuracy")
    with pytest.raises(SpecError, match=r"margin: got -0\.1; needs a number from 0"):
        decide(judged(accuracy=0.9), None, margin=-0.1)
    with pytest.raises(SpecError, match="no figure 'r2'; they give: accuracy"):
        decide(judged(accuracy=0.9), None, "r2")
