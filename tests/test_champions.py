"""The registry of models, in a folder; tests/cluster/test_storage.py shows that a storage server does the same."""

import json
import threading
from pathlib import Path

import pytest

from tunesmith.champions import Champions, parts_of_run, version_of
from tunesmith.errors import RegistryError


def model(folder: Path, content: str) -> dict[str, Path]:
    """Return the parts of a run whose model has this content."""
    parts = {name: folder / content / name for name in ("model", "study", "evaluation")}
    for part in parts.values():
        part.mkdir(parents=True)
    (parts["model"] / "model.keras").write_text(content)
    (parts["study"] / "spec.yaml").write_text("space: {}")
    (parts["study"] / "study.db").write_text("database")
    (parts["study"] / "trials" / "0").mkdir(parents=True)
    for name in ("candidate.json", "outcome.json", "model.keras", "log"):
        (parts["study"] / "trials" / "0" / name).write_text("{}")
    return parts


@pytest.fixture
def registry(tmp_path: Path) -> Champions:
    return Champions(str(tmp_path / "registry"))


def test_a_registry_that_is_not_there_yet_has_no_champion(registry: Champions) -> None:
    assert registry.champion() is None
    assert registry.history() == []


def test_a_promoted_model_is_the_champion_and_can_be_fetched(registry: Champions, tmp_path: Path) -> None:
    made = registry.promote(model(tmp_path, "a"), {"accuracy": 0.9}, "", "the first")
    assert registry.champion() == made
    assert (made.number, made.previous, made.figures) == (1, "", {"accuracy": 0.9})
    registry.fetch(made.version, tmp_path / "fetched")
    assert (tmp_path / "fetched" / "model" / "model.keras").read_text() == "a"


def test_only_what_a_later_search_needs_of_a_study_is_kept(registry: Champions, tmp_path: Path) -> None:
    made = registry.promote(model(tmp_path, "a"), {}, "", "the first")
    registry.fetch(made.version, tmp_path / "fetched")
    kept = {str(path.relative_to(tmp_path / "fetched/study")) for path in (tmp_path / "fetched/study").rglob("*.*")}
    assert kept == {"spec.yaml", "trials/0/candidate.json", "trials/0/outcome.json"}


def test_whoever_serves_the_model_reads_one_file(registry: Champions, tmp_path: Path) -> None:
    made = registry.promote(model(tmp_path, "a"), {}, "", "the first")
    assert json.loads((tmp_path / "registry" / "champion.json").read_text()) == made.to_json()
    assert (tmp_path / "registry" / "models" / made.version / "model" / "model.keras").exists()


def test_the_old_model_stays_and_the_history_tells_of_it(registry: Champions, tmp_path: Path) -> None:
    first = registry.promote(model(tmp_path, "a"), {}, "", "the first")
    second = registry.promote(model(tmp_path, "b"), {}, first.version, "better")
    assert registry.history() == [first, second]
    assert second.previous == first.version
    registry.fetch(first.version, tmp_path / "old")
    assert (tmp_path / "old/model/model.keras").read_text() == "a"


def test_a_promotion_may_be_repeated(registry: Champions, tmp_path: Path) -> None:
    parts = model(tmp_path, "a")
    first = registry.promote(parts, {}, "", "the first")
    (tmp_path / "registry" / "champion.json").unlink()
    assert registry.promote(parts, {}, "", "the first") == first
    assert registry.history() == [first]
    assert (tmp_path / "registry" / "champion.json").exists(), "a call that was cut off before this is completed"


def test_a_model_that_was_compared_with_another_champion_is_refused(registry: Champions, tmp_path: Path) -> None:
    first = registry.promote(model(tmp_path, "a"), {}, "", "the first")
    registry.promote(model(tmp_path, "b"), {}, first.version, "better")
    with pytest.raises(RegistryError, match=f"the champion is .* by now, not {first.version}"):
        registry.promote(model(tmp_path, "c"), {}, first.version, "better than the first")
    assert len(registry.history()) == 2


def test_of_promotions_at_the_same_time_one_wins(registry: Champions, tmp_path: Path) -> None:
    first = registry.promote(model(tmp_path, "start"), {}, "", "the first")
    parts = [model(tmp_path, name) for name in "abcdefgh"]
    won, refused = [], []
    start = threading.Barrier(len(parts))

    def promote(mine: dict[str, Path]) -> None:
        start.wait()
        try:
            won.append(registry.promote(mine, {}, first.version, "better"))
        except RegistryError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=promote, args=(mine,)) for mine in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, len(parts) - 1)
    assert registry.history() == [first, *won]
    assert json.loads((tmp_path / "registry/champion.json").read_text())["version"] == won[0].version


def test_one_goes_back_to_the_model_before(registry: Champions, tmp_path: Path) -> None:
    first = registry.promote(model(tmp_path, "a"), {"accuracy": 0.8}, "", "the first")
    second = registry.promote(model(tmp_path, "b"), {"accuracy": 0.9}, first.version, "better")
    back = registry.roll_back()
    assert (back.number, back.version, back.previous) == (3, first.version, second.version)
    assert back.figures == {"accuracy": 0.8}
    assert registry.champion() == back
    assert registry.roll_back(second.version).version == second.version


@pytest.mark.parametrize("version", ["", "nosuch"])
def test_one_cannot_go_back_to_what_never_was(registry: Champions, tmp_path: Path, version: str) -> None:
    with pytest.raises(RegistryError, match="no champion yet"):
        registry.roll_back(version)
    registry.promote(model(tmp_path, "a"), {}, "", "the first")
    with pytest.raises(RegistryError, match=r"cannot go back to .*; allowed: none"):
        registry.roll_back(version)


def test_a_version_that_is_not_whole_is_not_served(registry: Champions, tmp_path: Path) -> None:
    made = registry.promote(model(tmp_path, "a"), {}, "", "the first")
    (tmp_path / "registry/models" / made.version / "version.json").unlink()
    with pytest.raises(RegistryError, match="is no complete version"):
        registry.fetch(made.version, tmp_path / "fetched")
    registry.promote(model(tmp_path, "b"), {}, made.version, "better")
    with pytest.raises(RegistryError, match="is no complete version"):
        registry.roll_back()


def test_a_damaged_entry_is_named(registry: Champions, tmp_path: Path) -> None:
    registry.promote(model(tmp_path, "a"), {}, "", "the first")
    (tmp_path / "registry/promotions/000001.json").write_text("{")
    with pytest.raises(RegistryError, match=r"000001\.json: is no promotion"):
        registry.champion()


def test_a_version_is_named_after_all_of_its_content(tmp_path: Path) -> None:
    first, second = model(tmp_path, "a")["model"], model(tmp_path, "b")["model"]
    assert version_of(first) == version_of(first)
    assert version_of(first) != version_of(second)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="holds no trained model"):
        parts_of_run(tmp_path)
