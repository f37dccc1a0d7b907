import io

import pytest

from tunesmith.errors import GateFailed, SpecError, TunesmithError
from tunesmith.pipeline_run.output import PipelineOutput

STARTED = "17:05:26.861 - INFO - Executing task \033[96m'evaluate-model'\033[0m\n"
FAILED = "17:05:27.277 - ERROR - Task \033[96m'evaluate-model'\033[0m finished with status \033[91mFAILURE\033[0m\n"
ENDED = "17:05:27.277 - INFO - Task 'evaluate-model' finished with status SUCCESS\n"
TRACEBACK = """\
    Traceback (most recent call last):
      File "executor_main.py", line 109, in <module>
        executor_main()
    {raised}

"""


class Heard:
    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def started(self, step: str) -> None:
        self.events.append(("started", step))

    def said(self, text: str) -> None:
        self.events.append(("said", text))

    def ended(self, step: str, succeeded: bool) -> None:
        self.events.append(("ended", step, succeeded))


class Log(io.StringIO):
    name = "pipeline.log"


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def output(heard: Heard) -> PipelineOutput:
    return PipelineOutput(Log(), heard)


def test_a_listener_hears_steps_and_what_they_say_but_no_noise(output: PipelineOutput, heard: Heard) -> None:
    output.write(STARTED + "    {'inputs': 1}\n    tunesmith: search 1/3\n" + ENDED)
    assert heard.events == [("started", "evaluate-model"), ("said", "search 1/3"), ("ended", "evaluate-model", True)]


def test_a_line_that_comes_in_pieces_is_heard_once(output: PipelineOutput, heard: Heard) -> None:
    for piece in ("    tune", "smith: epoch", " 3\n"):
        output.write(piece)
    assert heard.events == [("said", "epoch 3")]


def test_everything_is_in_the_log_without_colours(output: PipelineOutput) -> None:
    output.write(STARTED + "    noise\n")
    assert isinstance(output.log, Log)
    assert output.log.getvalue() == "17:05:26.861 - INFO - Executing task 'evaluate-model'\n    noise\n"


@pytest.mark.parametrize("kind", [GateFailed, SpecError])
def test_a_step_that_fails_on_purpose_keeps_its_words_and_its_kind(output: PipelineOutput, kind: type[TunesmithError]) -> None:
    output.write(STARTED + TRACEBACK.format(raised=f"tunesmith.errors.{kind.__name__}: accuracy 0.5\n    is too low") + FAILED)
    assert type(output.error()) is kind
    assert str(output.error()) == "accuracy 0.5\nis too low"


def test_the_last_of_two_tracebacks_counts(output: PipelineOutput) -> None:
    output.write(STARTED + TRACEBACK.format(raised="ValueError: first") + TRACEBACK.format(raised="KeyError: 'last'") + FAILED)
    assert str(output.error()) == "the step evaluate-model failed: KeyError: 'last'\nIts log: pipeline.log"


def test_a_step_that_dies_without_a_word_shows_its_last_lines(output: PipelineOutput) -> None:
    output.write(STARTED + "    [KFP Executor 2026 INFO]: input\n    Killed\n" + FAILED)
    assert str(output.error()) == "the step evaluate-model failed: Killed\nIts log: pipeline.log"
