"""Lets a network go on where the one that it was edited from had ended."""

import json
import warnings
from typing import TYPE_CHECKING

from tunesmith.errors import SpecError
from tunesmith.evaluation._context import CHECKPOINT, Context
from tunesmith.spaces._capabilities import Inheriting
from tunesmith.spaces._space import Candidate, Space

if TYPE_CHECKING:
    import keras

INHERITED = "inherited"


def inherit(space: Space, candidate: Candidate, model: "keras.Model", context: Context) -> None:
    """Give a network its parent's weights, where the trial has a parent and its checkpoint is still kept.

    The fact `inherited` tells whether it was: 1, or 0 where the network begins with weights of its own.
    """
    if context.parent is None or not isinstance(space, Inheriting):
        return
    context.facts[INHERITED] = 0.0
    checkpoint = context.parent / CHECKPOINT
    if not checkpoint.is_file():
        return
    import keras

    with warnings.catch_warnings():
        # The optimizer's state is left out of checkpoints.
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
        parent = keras.saving.load_model(checkpoint, compile=False, safe_mode=True)
    assert isinstance(parent, keras.Model)
    try:
        space.inherit(candidate, json.loads((context.parent / "candidate.json").read_text()), parent, model)
    except SpecError:
        return  # what was not edited from it begins anew
    context.facts[INHERITED] = 1.0
