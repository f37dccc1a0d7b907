"""Prepared data sets, made once."""

from pathlib import Path

import pytest

from tests.evaluation.sets import write_images, write_regression


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_images(tmp_path_factory.mktemp("pictures") / "dataset")


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_regression(tmp_path_factory.mktemp("houses") / "dataset")
