"""Published networks of keras.applications, untrained: fixed baselines whose training alone is searched."""

from dataclasses import dataclass
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean
from tunesmith.spaces._architecture import OPTIMIZERS, compile_for, make_optimizer, output_activation, scaling
from tunesmith.spaces._distributions import LogUniform, Value
from tunesmith.spaces._graph.training import OUTPUT, Trained
from tunesmith.spaces._settings import Rule, decide, json_fields, number, one_of, read_fields, settled_fields, whole_rule
from tunesmith.spaces._space import Candidate, Chooser, Space
from tunesmith.spaces._training import Training

MODELS = ("NASNetMobile", "NASNetLarge", "MobileNetV2", "DenseNet121", "ResNet50V2")
# Each of them halves an image five times.
LEAST_SIDE = 32
RULES: dict[str, Rule] = {
    "optimizer": Rule("adam", one_of(OPTIMIZERS), ", ".join(OPTIMIZERS)),
    "learning_rate": Rule(LogUniform(2e-4, 2e-2), number(1e-12, 1000), "numbers above 0"),
    "batch_size": whole_rule(64, 2**20),
}


@dataclass(frozen=True)
class Applications(Space):
    """The network `model` of keras.applications with an output layer for the data.

    `optimizer`, `learning_rate` and `batch_size` are one value, or a distribution to search.
    """

    model: str = MODELS[0]
    optimizer: Any = None
    learning_rate: Any = None
    batch_size: Any = None

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            hint = did_you_mean(self.model, list(MODELS))
            raise SpecError(f"model: got {self.model!r}; allowed: {', '.join(MODELS)}{hint}")
        read_fields(self, RULES)

    def fit_to(self, data: DatasetInfo) -> "Applications":
        """Return the space; raises SpecError where the data are no images, or images too small for these networks."""
        if data.kind != "images":
            raise SpecError("kind: these networks are for images, the data is a table; use kind: layers")
        if min(data.input_shape[:2]) < LEAST_SIDE:
            shown = "x".join(map(str, data.input_shape[:2]))
            raise SpecError(
                f"model: {self.model} needs images of {LEAST_SIDE}x{LEAST_SIDE} pixels at least; the data has {shown}"
            )
        return self

    def define(self, choose: Chooser) -> Trained:
        return Trained(**decide(self, RULES, choose))

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        import keras

        trained: Trained = self.realize(candidate)
        inputs = keras.Input(info.input_shape, name="input")
        make = getattr(keras.applications, self.model)
        base = make(include_top=False, weights=None, input_tensor=scaling(info)(inputs), pooling="avg")
        output = keras.layers.Dense(info.outputs, activation=output_activation(info), name=OUTPUT)(base.output)
        model = keras.Model(inputs, output, name="network")
        compile_for(model, info, make_optimizer(trained.optimizer, trained.learning_rate))
        return Training(model, trained.batch_size)

    def settled(self) -> dict[str, Value]:
        return settled_fields(self, RULES)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "applications"} | json_fields(self)
