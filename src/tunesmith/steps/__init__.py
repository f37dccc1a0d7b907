"""What the pipelines' steps do: one function for each component, which turns what it returns into metadata of artifacts."""

from tunesmith.steps._champion import champion_step, compare_step, figures_of, promote_step
from tunesmith.steps._cluster import Uris
from tunesmith.steps._data import prepare_step
from tunesmith.steps._model import check_step, evaluate_step, export_step, train_step
from tunesmith.steps._search import search_step
from tunesmith.steps._tuning import tune_step

__all__ = [
    "Uris",
    "champion_step",
    "check_step",
    "compare_step",
    "evaluate_step",
    "export_step",
    "figures_of",
    "prepare_step",
    "promote_step",
    "search_step",
    "train_step",
    "tune_step",
]
