"""What every space of cells promises: its search file's form, networks of any size, costs known beforehand, one text a cell."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.evaluation._costs import multiplications
from tunesmith.report.network import draw_network
from tunesmith.spaces._capabilities import Costed, Featured, Foretelling, Pictured, Scalable, Tunable
from tunesmith.spaces._cells.space import CellSpace
from tunesmith.spaces._training import Foreseeable, Trainable
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.spaces.cells_nasnet import NASNet
from tunesmith.spaces.cells_pnas import PNASCells
from tunesmith.spaces.dag_enas import DagENAS
from tunesmith.spec import build_space
from tunesmith.strategies._edits.mutation import crossed, mutated

SMALL = {"stages": 2, "cells": 1, "filters": 4}
SPACES: dict[str, CellSpace] = {
    "cells_nasbench201": NASBench201(**SMALL),
    "cells_nasnet": NASNet(blocks=3, **SMALL),
    "cells_nasnet of one block on an imagenet stem": NASNet(blocks=1, stem="imagenet", **SMALL),
    "cells_pnas": PNASCells(blocks=3, **SMALL),
    "cells_pnas of one size": PNASCells(blocks=3, least_blocks=3, **SMALL),
    "dag_enas": DagENAS(nodes=3, **SMALL),
    "dag_enas macro": DagENAS(nodes=4, scope="macro", **SMALL),
}


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> CellSpace:
    return SPACES[request.param]


def drawn(space: CellSpace, count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def data(space: CellSpace) -> DatasetInfo:
    return images(32 if getattr(space, "stem", "") == "imagenet" else 8)


def test_every_space_of_cells_is_here() -> None:
    folder = Path(__file__).parents[2] / "src" / "tunesmith" / "spaces"
    kinds = {path.stem for path in folder.glob("*.py") if "CellSpace)" in path.read_text()}
    assert kinds == {name.split()[0] for name in SPACES}


def test_it_has_the_capabilities_of_cells(space: CellSpace) -> None:
    assert all(
        isinstance(space, each) for each in (Costed, Featured, Foretelling, Pictured, Scalable, Tunable, Foreseeable, Trainable)
    )


def test_the_search_file_s_keys_make_the_space_again(space: CellSpace) -> None:
    assert build_space(json.loads(json.dumps(space.to_json()))) == space


def test_what_is_foreseen_is_what_is_built(space: CellSpace) -> None:
    info = data(space)
    for candidate in drawn(space, 3):
        model = space.network(candidate, info).model
        assert model.output_shape == (None, info.outputs)
        assert space.estimate(candidate, info).parameters == model.count_params()
        features = model.layers[-1].input.shape[-1]
        assert space.costs(candidate, info).macs == multiplications(model) - features * info.outputs


def test_the_final_size_is_larger_than_that_of_the_search(space: CellSpace) -> None:
    info = data(space)
    (candidate,) = drawn(space, 1)
    large = space.resized({"filters": 8})
    assert large.estimate(candidate, info).parameters > space.estimate(candidate, info).parameters  # type: ignore[attr-defined]


def test_mutations_and_crossings_are_candidates(space: CellSpace) -> None:
    rng = np.random.default_rng(1)
    one, other = drawn(space, 2)
    for _ in range(20):
        space.realize(mutated(space, one, rng))
        space.realize(crossed(space, one, other, rng))


def test_features_have_one_width_and_tell_cells_apart(space: CellSpace) -> None:
    candidates = drawn(space, 30)
    found = np.concatenate(list(space.features(candidates).values()), axis=1)
    assert found.shape[0] == 30
    assert np.isfinite(found).all()
    identities = [space.identity(candidate) for candidate in candidates]
    for i, row in enumerate(found):
        for j in range(i):
            assert identities[i] != identities[j] or np.array_equal(row, found[j])


def test_proxies_are_one_number_a_candidate_that_tell_most_cells_apart(space: CellSpace) -> None:
    candidates = drawn(space, 30)
    for values in space.proxies(candidates).values():
        assert values.shape == (30,)
        assert np.isfinite(values).all()
        assert len(set(values)) > 5
    assert all(values.shape == (0,) for values in space.proxies([]).values())


def test_its_cells_are_drawn(space: CellSpace) -> None:
    for layers in space.pictures(drawn(space, 1)[0]).values():
        assert draw_network(layers).startswith("<svg")


def test_a_cell_that_was_found_is_trained_in_many_ways(space: CellSpace) -> None:
    (candidate,) = drawn(space, 1)
    tuned, found = space.tuned(candidate)
    tuned.realize(found)
    assert set(found) == {"dropout", "learning_rate", "batch_size"}
    assert build_space(json.loads(json.dumps(tuned.to_json()))) == tuned
    assert tuned.estimate(found, data(space)).parameters == space.estimate(candidate, data(space)).parameters  # type: ignore[attr-defined]


@pytest.mark.parametrize("training", [{"learning_rate": 0.1, "optimizer": "sgd"}, {"batch_size": 48}, {"dropout": 0.7}])
def test_a_training_beyond_the_usual_ranges_is_in_the_space_that_tunes_it(space: CellSpace, training: dict[str, Any]) -> None:
    given = replace(space, **training)
    tuned, found = given.tuned(drawn(given, 1)[0])
    tuned.realize(found)
    assert {name: found[name] for name in training if name in found}.items() <= training.items()
    assert tuned.optimizer == given.optimizer


def test_an_image_too_small_is_refused_with_the_stages_that_fit(space: CellSpace) -> None:
    with pytest.raises(
        SpecError, match=r"stages: got \d+, each but the first halves the image; \d+x\d+ pixels allow \d at most"
    ):
        replace(space, stages=4, **({"nodes": 4} if isinstance(space, DagENAS) else {})).fit_to(images(8))


def test_a_table_is_refused(space: CellSpace) -> None:
    with pytest.raises(SpecError, match="cells are for images, the data is a table"):
        space.fit_to(DatasetInfo("table", "regression", (5,), (), {}, "", ""))


def test_a_value_that_is_none_of_the_space_s_is_refused(space: CellSpace) -> None:
    (candidate,) = drawn(space, 1)
    name = list(candidate)[-1]
    with pytest.raises(SpecError, match=rf"candidate\.{name}: got 'conv_9x9'; allowed: "):
        space.realize(candidate | {name: "conv_9x9"})
