import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml
from rich.console import Console

from tests.pipeline_run.demo import demo
from tunesmith.errors import GateFailed, SpecError, TunesmithError
from tunesmith.local_pipeline import run_named, run_pipeline
from tunesmith.pipeline_run.catalog import compile_named
from tunesmith.pipeline_run.local_step import RUNNER

ROOT = Path(__file__).parents[1]
RUN_DEMO = """
import sys
from pathlib import Path
from rich.console import Console
from tests.pipeline_run.demo import demo
from tunesmith.local_pipeline import run_pipeline
run_pipeline(demo, {"number": 1000, "seconds": 0.1}, Path(sys.argv[1]), Console(stderr=True))
"""


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_steps_are_shown_with_their_progress_and_without_noise(tmp_path: Path, console: Console) -> None:
    run_pipeline(demo, {}, tmp_path / "run", console)
    lines = [line.split(" done in")[0].strip() for line in shown(console).splitlines()]
    expected = ["count starts", "search 1/2  [best] 1.0", "search 2/2  [best] 1.0", "count", "judge starts", "judge"]
    assert lines == expected
    assert "noise of a library" in (tmp_path / "run" / "pipeline.log").read_text()


def test_the_summary_says_where_the_outputs_lie(tmp_path: Path, console: Console) -> None:
    summary = run_pipeline(demo, {}, tmp_path / "run", console)
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == summary
    assert summary["status"] == "succeeded"
    assert summary["outputs"] == {"data": str(tmp_path / "run" / "data"), "page": str(tmp_path / "run" / "page.html")}
    assert Path(summary["outputs"]["page"]).read_text() == "<p>counted"
    assert Path(summary["outputs"]["page"]).resolve().suffix == ".html", "a browser shows other files as text"
    assert set(summary["steps"]) == {"count", "judge"}


def test_a_failing_step_ends_the_run_with_its_own_words(tmp_path: Path, console: Console) -> None:
    with pytest.raises(GateFailed, match=r"^accuracy 0\.5 is below\n0\.9$"):
        run_pipeline(demo, {"error": "GateFailed"}, tmp_path / "run", console)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["status"], summary["error"]) == ("gate failed", "accuracy 0.5 is below\n0.9")
    assert "Traceback" not in shown(console)
    assert "Traceback" in (tmp_path / "run" / "pipeline.log").read_text()


def test_an_accident_in_a_step_is_told_with_its_log(tmp_path: Path, console: Console) -> None:
    with pytest.raises(TunesmithError, match=r"the step judge failed: ValueError: accuracy(.|\n)*pipeline\.log$"):
        run_pipeline(demo, {"error": "ValueError"}, tmp_path / "run", console)


def test_a_terminal_shows_a_bar_and_keeps_one_line_a_step(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    run_pipeline(demo, {}, tmp_path / "run", console)
    assert shown(console).count(" done in ") == 2
    assert "starts" not in shown(console)


def test_the_environment_is_left_as_it_was(tmp_path: Path, console: Console) -> None:
    before = dict(os.environ)
    run_pipeline(demo, {}, tmp_path / "run", console)
    assert dict(os.environ) == before


def test_a_folder_that_kfp_would_garble_is_refused_at_once(tmp_path: Path, console: Console) -> None:
    with pytest.raises(SpecError, match="python3"):
        run_pipeline(demo, {}, tmp_path / "python3-course", console)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("texts", [["trails=3"], ["trials=0"], ["data_uri=/usr/bin/python3.csv"], ["strategy=tpee"]])
def test_a_mistake_ends_a_run_before_anything_starts(tmp_path: Path, console: Console, texts: list[str]) -> None:
    with pytest.raises(SpecError, match=texts[0].split("=")[0]):
        run_named("tune", texts, tmp_path / "runs", console)
    assert not (tmp_path / "runs").exists()


def test_an_unknown_pipeline_is_told_with_those_there_are(tmp_path: Path, console: Console) -> None:
    with pytest.raises(SpecError, match=r"'tuna' is unknown; allowed: .*tune.*did you mean 'tune'"):
        run_named("tuna", [], tmp_path, console)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_step_outlives_the_run(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", RUN_DEMO, str(tmp_path / "run")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr
    for line in process.stderr:
        if "search 2/" in line:
            break
    steps = [other for other in psutil.process_iter() if environment(other).get(RUNNER) == str(process.pid)]
    assert any("kfp.dsl.executor_main" in " ".join(step.cmdline()) for step in steps)
    process.send_signal(how)
    process.wait(60)
    process.stderr.close()
    _, left = psutil.wait_procs([step for step in steps if step.pid != process.pid], timeout=60)
    assert not left
    assert not (tmp_path / "run" / "summary.json").exists()


@pytest.mark.slow
def test_a_killed_run_goes_on_by_the_same_command(tmp_path: Path) -> None:
    space = 'search_space={"kind": "layers", "convs": [0, 0], "dense": [1, 1], "units": 8, "batch_size": 64}'
    settings = [space, "trials=4", "parallel_trials=1", "epochs_per_trial=1", 'export_formats=["saved_model"]']
    command = [sys.executable, "-m", "tunesmith", "pipeline", "run", "tune", "--runs", str(tmp_path)]
    command += [part for setting in settings for part in ("--set", setting)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    assert process.stdout
    assert any("search 1/4" in line for line in process.stdout)
    process.kill()
    process.wait(60)
    process.stdout.close()
    before = finished_trials(tmp_path)
    again = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "going on with" in again.stdout + again.stderr
    assert len(list(tmp_path.glob("tune-*"))) == 1
    after = finished_trials(tmp_path)
    assert len(after) == 4
    assert before
    assert before.items() <= after.items(), "a finished trial was run again"
    summary = json.loads((tmp_path / "latest" / "summary.json").read_text())
    assert (summary["status"], summary["trials"]) == ("succeeded", 4)


def finished_trials(runs: Path) -> dict[str, str]:
    """Return the outcome of each finished trial, by its folder's name."""
    return {path.parent.name: path.read_text() for path in runs.glob("tune-*/studies/*/trials/*/outcome.json")}


def environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def test_a_compiled_pipeline_is_where_it_was_asked_for(tmp_path: Path) -> None:
    path = compile_named("tune", tmp_path / "new" / "tune.yaml")
    assert next(yaml.safe_load_all(path.read_text()))["pipelineInfo"]["name"] == "tune"
    with pytest.raises(SpecError, match=r"a compiled pipeline is a \.yaml file"):
        compile_named("tune", tmp_path / "tune.txt")
