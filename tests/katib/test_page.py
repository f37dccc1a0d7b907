"""The experiment and the settings that docs/katib.md shows are those that the service takes."""

import dataclasses
import re
from pathlib import Path

from tests.katib.experiments import plain
from tunesmith.katib.plain_settings import FOREIGN, SEED
from tunesmith.katib.study_view import read_plan
from tunesmith.registry import discover, load
from tunesmith.strategies._strategy import Strategy
from tunesmith.strategies.tpe import TPE
from tunesmith.yaml_text import read_yaml

PAGE = (Path(__file__).parents[2] / "docs" / "katib.md").read_text()


def test_the_experiment_shown_is_searched() -> None:
    (block,) = re.findall(r"^```yml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    spec = read_yaml(block, "katib.md")["spec"]
    forms = {item["name"]: {"type": item["parameterType"], **item["feasibleSpace"]} for item in spec["parameters"]}
    settings = {item["name"]: item["value"] for item in spec["algorithm"]["algorithmSettings"]}
    plan = read_plan(plain(forms, spec["algorithm"]["algorithmName"], **settings))
    assert (plan.strategy, plan.seed) == (TPE(startup=8), 10)


def test_every_strategy_and_setting_is_on_the_page() -> None:
    for name in discover("tunesmith.strategies"):
        assert f"`tunesmith-{name}`" in PAGE
        for field in dataclasses.fields(load("tunesmith.strategies", name, Strategy)):
            assert f"`{field.name}`" in PAGE
    for name in (SEED, *FOREIGN):
        assert f"`{name}`" in PAGE
