"""An architecture by itself: as a file, at other sizes, on other data; and what a broken file is told."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.spaces.test_cells_nasbench201 import images
from tests.spaces.test_graphs import table
from tunesmith import architecture
from tunesmith.architecture import Architecture, draw_architecture, load_architecture, read_architecture, save_built
from tunesmith.cli import tunesmith
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.record import Record
from tunesmith.spaces.cells_nasbench201 import EDGES, OPERATIONS, NASBench201
from tunesmith.spaces.graphs import Graphs
from tunesmith.spaces.layers import Layers
from tunesmith.spec import build_space, parse_spec
from tunesmith.study import State, Trial

CELL = dict(zip(EDGES, [OPERATIONS[i] for i in (3, 2, 1, 4, 3, 0)], strict=True))
FOUND = Architecture(NASBench201(stages=2, cells=1, filters=4), CELL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    FOUND.save(tmp_path / "cell.json")
    return tmp_path / "cell.json"


def run(*arguments: object) -> Any:
    return CliRunner().invoke(tunesmith, ["architecture", *map(str, arguments)])


def test_a_file_gives_the_architecture_back(file: Path) -> None:
    assert load_architecture(file) == FOUND


def test_it_is_built_at_any_size(file: Path, tmp_path: Path) -> None:
    import keras

    done = run("build", file, "--output", tmp_path / "large.keras", "--image", "16x16x3", "--classes", 7, "--filters", 8)
    assert done.exit_code == 0, done.output
    model = keras.saving.load_model(tmp_path / "large.keras", compile=False)
    assert (model.input_shape, model.output_shape) == ((None, 16, 16, 3), (None, 7))  # type: ignore[union-attr]
    small = save_built(FOUND, images(16, channels=3), tmp_path / "small.keras")
    assert model.count_params() > 2 * small  # type: ignore[union-attr]


def test_what_is_told_of_its_network_is_what_is_built(tmp_path: Path) -> None:
    info = images(8)
    features = 8
    output = (features + 1) * info.outputs
    assert FOUND.described(info)["parameters"] + output == save_built(FOUND, info, tmp_path / "model.keras")


@pytest.mark.parametrize(("command", "output"), [("build", "m.keras"), ("draw", "drawn")])
def test_a_network_beyond_the_memory_is_refused_before_it_is_made(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, output: str
) -> None:
    monkeypatch.setattr(NASBench201, "network", lambda *_: pytest.fail("the network was made"))
    monkeypatch.setattr(architecture, "available_bytes", lambda: 100 * 2**20 + 1)
    done = run(command, file, "--output", tmp_path / output, "--filters", 1024, "--cells", 4)
    assert isinstance(done.exception, SpecError)
    told = (
        r"'cells_nasbench201': its network of [\d,]+ parameters needs about [\d,]+ MiB to be built, and 100 MiB are available"
    )
    assert re.search(told, str(done.exception))
    assert not (tmp_path / output).exists()


def test_a_network_within_the_memory_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = NASBench201.estimate(FOUND.space, CELL, images(8)).parameters  # type: ignore[arg-type]
    monkeypatch.setattr(architecture, "available_bytes", lambda: 12 * weights - 1)
    with pytest.raises(SpecError, match="needs about 1 MiB to be built, and 0 MiB are available"):
        save_built(FOUND, images(8), tmp_path / "model.keras")
    monkeypatch.setattr(architecture, "available_bytes", lambda: 12 * weights)
    assert save_built(FOUND, images(8), tmp_path / "model.keras") == weights


def test_its_cell_and_its_network_are_drawn(file: Path, tmp_path: Path) -> None:
    done = run("draw", file, "--output", tmp_path / "drawn")
    assert done.exit_code == 0, done.output
    cell = (tmp_path / "drawn" / "normal_cell.svg").read_text()
    assert "Conv 3x3" in cell
    assert "AveragePool 3x3" in cell
    assert "previous cell" in cell
    assert (tmp_path / "drawn" / "network.svg").read_text().count("<rect") > cell.count("<rect")


def test_an_edge_without_an_operation_is_not_drawn() -> None:
    (cell,) = FOUND.pictures().values()
    assert [part["detail"] for part in cell if "operation" in part["name"]].count("none") == 0


def test_it_is_carried_to_other_data_with_its_training_to_be_searched(file: Path, tmp_path: Path) -> None:
    done = run("transfer", file, "--data", "digits", "--filters", 32, "--output", tmp_path / "next.yaml")
    assert done.exit_code == 0, done.output
    import yaml

    spec = parse_spec(yaml.safe_load((tmp_path / "next.yaml").read_text()))
    assert spec.space.cell == CELL
    assert spec.space.filters == 32
    assert run("transfer", file, "--data", "digits", "--output", tmp_path / "next.yaml").exit_code != 0


def test_a_network_that_grew_is_carried_to_other_data_layer_by_layer(tmp_path: Path) -> None:
    import yaml

    space = Graphs(start={"convs": 2, "filters": 4})
    Architecture(space, space.origin()).save(tmp_path / "grown.json")
    done = run("transfer", tmp_path / "grown.json", "--data", "digits", "--output", tmp_path / "next.yaml")
    assert done.exit_code == 0, done.output
    spec = parse_spec(yaml.safe_load((tmp_path / "next.yaml").read_text()))
    assert spec.space == space.tuned(space.origin())[0]


@pytest.mark.parametrize(
    ("info", "output"), [(table(), 1), (replace(table(), task="classification", classes=("a", "b", "c")), 3)]
)
def test_a_run_on_a_table_is_built_for_its_columns_and_its_target(tmp_path: Path, info: DatasetInfo, output: int) -> None:
    import keras

    run_folder = tmp_path / "run"
    found = Architecture(Graphs().fit_to(info), Graphs().fit_to(info).origin())
    with Record.start(run_folder / "study", study_of(found)) as record:
        record.begin(0, found.candidate)
        record.finish(Trial(0, found.candidate, State.FINISHED, {"val_loss": 1.0}))
    (run_folder / "dataset").mkdir()
    info.save(run_folder / "dataset")
    done = run("build", run_folder, "--output", tmp_path / "model.keras")
    assert done.exit_code == 0, done.output
    model = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert (model.input_shape, model.output_shape) == ((None, 5), (None, output))  # type: ignore[union-attr]
    assert not [layer.name for layer in model.layers if layer.name == "scaling"]  # type: ignore[union-attr]


def study_of(found: Architecture) -> dict[str, Any]:
    objectives = [{"metric": "val_loss", "goal": "minimize"}]
    content = {"data": {"uri": "arrays"}, "space": found.space.to_json(), "strategy": {"name": "random"}}
    return parse_spec(content | {"objectives": objectives}).to_json()


def test_show_says_of_networks_that_have_to_be_built_that_they_have_to(tmp_path: Path) -> None:
    space = Layers(convs=1, dense=1)
    Architecture(space, space.sample(np.random.default_rng(0))).save(tmp_path / "plain.json")
    shown = run("show", tmp_path / "plain.json").output
    assert "conv1.filters" in shown
    assert "What its network costs is known once it is built: tunesmith architecture build" in shown


def test_show_prints_nothing_of_a_candidate_where_the_image_is_none(file: Path) -> None:
    done = run("show", file, "--image", "32x32")
    assert isinstance(done.exception, SpecError)
    assert done.output == ""


def test_show_prints_the_file_again(file: Path) -> None:
    assert json.loads(run("show", file, "--json").output) == json.loads(file.read_text())
    assert "macs" in run("show", file).output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version: got 2; this version of Tunesmith reads 1"),
        ({"candidate": CELL | {"1<-0": "conv_9x9"}}, r"candidate\.1<-0: got 'conv_9x9'; allowed: .*nor_conv_3x3"),
        ({"candidate": CELL | {"0<-3": "nor_conv_3x3"}}, r"candidate\.0<-3: is no active parameter"),
        ({"candidate": {k: v for k, v in CELL.items() if k != "3<-2"}}, r"candidate\.3<-2: is missing"),
        ({"candidate": []}, r"candidate: got \[\]; needs a dictionary"),
        ({"space": {"kind": "cells"}}, "space.kind: 'cells' is unknown; allowed: .*cells_nasbench201"),
    ],
)
def test_a_broken_file_is_told_what_is_wrong(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_architecture(FOUND.to_json() | change)


@pytest.mark.parametrize(
    ("kind", "likely"),
    [
        ("cells_nasnet", "cells_nasnet"),
        ("dag_enas", "cells_nasnet or dag_enas"),
        ("cells_pnas", "cells_pnas"),
        ("graphs", "graphs"),
        ("layers", "layers"),
    ],
)
def test_a_candidate_of_another_space_is_told_whose_it_may_be(kind: str, likely: str) -> None:
    other = build_space({"kind": kind}).sample(np.random.default_rng(1))
    told = rf"candidate: none of its parameters \(.*\) is one of space\.kind 'cells_nasbench201'; .* space\.kind {likely}$"
    with pytest.raises(SpecError, match=told):
        read_architecture(FOUND.to_json() | {"candidate": other})


def test_a_candidate_of_nobody_is_told_so() -> None:
    told = r"candidate: none of its parameters \(a, b, c, \.\.\.\) is one of space\.kind 'cells_nasbench201'$"
    with pytest.raises(SpecError, match=told):
        read_architecture(FOUND.to_json() | {"candidate": dict.fromkeys("abcd", 1)})


def test_a_size_that_is_a_text_is_refused() -> None:
    form = FOUND.to_json()
    with pytest.raises(SpecError, match=r"space\.stages: got '3': Input should be a valid integer, not a text"):
        read_architecture(form | {"space": form["space"] | {"stages": "3"}})


def test_a_file_that_holds_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(SpecError, match=r"a\.json: got \[1\]; an architecture is a dictionary with: version, space, candidate"):
        load_architecture(tmp_path / "a.json")
    (tmp_path / "b.json").write_text("[" * 100_000)
    with pytest.raises(SpecError, match=r"b\.json: is no JSON file"):
        load_architecture(tmp_path / "b.json")


def test_sizes_of_a_space_that_has_none_are_refused() -> None:
    with pytest.raises(SpecError, match=r"its networks come in one size; sizes are for: .*cells_nasbench201"):
        Architecture(Layers(), {}).resized({"filters": 3})


@pytest.mark.parametrize("image", ["32x32", "axbxc", "0x8x3"])
def test_an_image_that_is_none_is_refused(file: Path, image: str, tmp_path: Path) -> None:
    done = run("build", file, "--output", tmp_path / "m.keras", "--image", image)
    assert isinstance(done.exception, SpecError)
    assert "needs height, width and channels" in str(done.exception)


def test_an_image_too_small_for_the_stages_says_how_many_fit(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"stages: got 4, .* 8x8 pixels allow 3 at most"):
        draw_architecture(FOUND.resized({"stages": 4}), images(8), tmp_path)
