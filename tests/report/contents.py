"""Report contents as real searches leave them, made up from a seed."""

import math
import random
from typing import Any

from tunesmith.report.content import ReportContent
from tunesmith.study import Constraint, Objective, State, Trial

CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
OBJECTIVE = Objective("val_accuracy", "maximize")
SPEC: dict[str, Any] = {
    "data": {"uri": "digits", "task": "auto", "validation": 0.2, "test": 0.2, "seed": 0},
    "strategy": {"name": "tpe", "seed": 0},
    "objectives": [{"metric": "val_accuracy", "goal": "maximize"}],
    "evaluation": {"kind": "training", "epochs": 20, "early_stopping": {"patience": 3}},
    "budget": {"trials": 30, "parallel": 2},
    "space": {"kind": "layers", "convs": [3, 8], "dense": [2, 5]},
}


def image_search(trials: int = 30, seed: int = 1) -> ReportContent:
    """A search of a convolutional network for the digits, with failed and stopped trials."""
    rng = random.Random(seed)
    made = [_image_trial(number, rng) for number in range(trials)]
    return ReportContent(
        title="Digits: a small convolutional network",
        spec=SPEC,
        objective=OBJECTIVE,
        trials=[trial for trial, _ in made],
        curves={trial.number: curve for trial, curve in made if curve},
        network=chain_network(),
        evaluation=classification(CLASSES, rng),
        exports=[
            _export("saved_model", 2.4e-7, 412_345, 0.81),
            _export("onnx", 4.1e-7, 198_112, 0.043),
        ],
        dataset=_digits(),
        seconds=754.2,
    )


def _image_trial(number: int, rng: random.Random) -> tuple[Trial, list[tuple[int, dict[str, float]]]]:
    candidate: dict[str, Any] = {
        "convs": rng.randint(3, 8),
        "filters": rng.choice([16, 32, 64, 128]),
        "dense": rng.randint(2, 5),
        "dropout": round(min(0.9, max(0.0, rng.gauss(0.15, 0.1))), 4),
        "learning_rate": 10 ** rng.uniform(-4, -1),
        "optimizer": rng.choice(["adam", "sgd", "rmsprop"]),
        "batch_norm": rng.random() < 0.5,
    }
    if candidate["optimizer"] == "sgd":
        candidate["momentum"] = round(rng.uniform(0, 0.99), 3)
    if number % 9 == 4:
        reason = f"estimated memory of {rng.randint(9000, 20000)} MiB is above the limit of 8192 MiB"
        return Trial(number, candidate, State.FAILED, {}, reason, 0.4), []
    if number == 16:
        return Trial(number, candidate, State.FAILED, {}, "the loss became NaN in epoch 2", 3.1), []
    return _trained(number, candidate, rng)


def _trained(number: int, candidate: dict[str, Any], rng: random.Random) -> tuple[Trial, list[tuple[int, dict[str, float]]]]:
    off = abs(math.log10(candidate["learning_rate"]) + 2.7)
    best = 0.985 - 0.05 * off**2 - 0.2 * candidate["dropout"] ** 2 + rng.gauss(0, 0.004) + 0.002 * candidate["batch_norm"]
    best = min(best, 0.9917)
    stopped = best < 0.93 and number > 6
    curve = []
    for step in range(1, 6 if stopped else rng.randint(12, 20) + 1):
        accuracy = best - (best - 0.12) * math.exp(-step / (1.5 + off)) + rng.gauss(0, 0.006)
        curve.append((step, {"loss": 2.3 * math.exp(-step / 3), "val_accuracy": accuracy, "val_loss": 1.2 - accuracy}))
    value = max(metrics["val_accuracy"] for _, metrics in curve)
    state = State.STOPPED if stopped else State.FINISHED
    reason = f"after step 5 its best {value:.4f} was below the median {0.93:.4f}" if stopped else ""
    return Trial(number, candidate, state, {"val_accuracy": value}, reason, 2.1 * len(curve)), curve


def classification(classes: tuple[str, ...], rng: random.Random) -> dict[str, Any]:
    """An evaluation of a classifier that confuses a few examples of neighbouring classes."""
    size = len(classes)
    confusion = [[0] * size for _ in classes]
    for i in range(size):
        wrong = rng.choice([0, 0, 1, 2])
        confusion[i][i] = 36 - wrong
        confusion[i][(i + 3) % size] += wrong
    right = sum(confusion[i][i] for i in range(size))
    return {
        "task": "classification",
        "examples": 36 * size,
        "metrics": {"accuracy": right / (36 * size), "macro_f1": 0.979, "log_loss": 0.0713},
        "intervals": {"accuracy": [0.9586, 0.9893]},
        "classes": [{"name": name, "precision": 0.97, "recall": 0.98, "f1": 0.975, "support": 36} for name in classes],
        "confusion": confusion,
        "roc": [],
        "size": 655_212,
        "parameters": 48_274,
        "latency": {"median_ms": 1.21, "p90_ms": 1.5},
        "fingerprint": "3f" * 32,
    }


def _export(name: str, difference: float, size: int, median: float) -> dict[str, Any]:
    latency = {"median_ms": median, "p90_ms": 2 * median}
    return {"format": name, "difference": difference, "allowed": 1e-4, "examples": 64, "size": size, "latency": latency}


def _digits() -> dict[str, Any]:
    sizes = {"train": 1078, "validation": 359, "test": 360}
    counts = {split: {name: size // 10 + int(name) % 3 for name in CLASSES} for split, size in sizes.items()}
    return {
        **{"kind": "images", "task": "classification", "input_shape": [8, 8, 1], "classes": list(CLASSES), "sizes": sizes},
        **{"fingerprint": "3f" * 32, "source": "digits", "target": "label", "target_scale": [0.0, 1.0], "version": 1},
        "statistics": {
            "pixel_mean": 4.8737,
            "pixel_deviation": 6.013,
            "classes": counts,
            "duplicates": {"test": 0},
            "warnings": [],
        },
    }


def layer(name: str, type_: str, detail: str, shape: list[int | None], parameters: int, inputs: list[str]) -> dict[str, Any]:
    """One entry of network.json."""
    return {
        **{"name": name, "type": type_, "detail": detail, "output_shape": shape},
        **{"parameters": parameters, "inputs": inputs},
    }


def chain_network(convolutions: int = 3) -> list[dict[str, Any]]:
    """A plain chain of convolutions, each with batch normalisation and an activation, then dense layers."""
    layers = [
        layer("input", "InputLayer", "", [None, 8, 8, 1], 0, []),
        layer("rescaling", "Rescaling", "", [None, 8, 8, 1], 0, ["input"]),
    ]

    def add(name: str, type_: str, detail: str, shape: list[int | None], parameters: int = 0) -> None:
        layers.append(layer(name, type_, detail, shape, parameters, [layers[-1]["name"]]))

    for i in range(convolutions):
        shape: list[int | None] = [None, max(8 >> i, 1), max(8 >> i, 1), 16 << min(i, 4)]
        add(f"conv_{i}", "Conv2D", f"3x3, {16 << min(i, 4)}", shape, 4_640 << min(i, 4))
        add(f"norm_{i}", "BatchNormalization", "", shape, 64)
        add(f"act_{i}", "Activation", "relu", shape)
        add(f"pool_{i}", "MaxPooling2D", "2x2", shape)
    add("flatten", "Flatten", "", [None, 256])
    add("dense", "Dense", "128, relu", [None, 128], 32_896)
    add("dropout", "Dropout", "0.21", [None, 128])
    add("answer", "Dense", "10, softmax", [None, 10], 1_290)
    return layers


def branching_network() -> list[dict[str, Any]]:
    """Two residual blocks and a cell of three branches."""
    shape: list[int | None] = [None, 32, 32, 64]
    layers = [
        layer("input", "InputLayer", "", [None, 32, 32, 3], 0, []),
        layer("stem", "Conv2D", "3x3, 64", shape, 1_792, ["input"]),
    ]
    for i in range(2):
        source = layers[-1]["name"]
        layers += [
            layer(f"a{i}", "Conv2D", "3x3, 64", shape, 36_928, [source]),
            layer(f"an{i}", "BatchNormalization", "", shape, 256, [f"a{i}"]),
            layer(f"ar{i}", "ReLU", "", shape, 0, [f"an{i}"]),
            layer(f"b{i}", "SeparableConv2D", "3x3, 64", shape, 4_736, [f"ar{i}"]),
            layer(f"add{i}", "Add", "", shape, 0, [f"b{i}", source]),
        ]
    layers += [
        layer("left", "Conv2D", "1x1, 64", shape, 4_160, ["add1"]),
        layer("middle", "Conv2D", "5x5, 64", shape, 102_464, ["add1"]),
        layer("right", "AveragePooling2D", "3x3", shape, 0, ["add1"]),
        layer("join", "Concatenate", "", [None, 32, 32, 192], 0, ["left", "middle", "right"]),
        layer("pool", "GlobalAveragePooling2D", "", [None, 192], 0, ["join"]),
        layer("answer", "Dense", "10, softmax", [None, 10], 1_930, ["pool", "missing"]),
    ]
    return layers


def function_search(trials: int = 12) -> ReportContent:
    """A search of a function of two numbers: no network, no data, no curves."""
    rng = random.Random(3)
    made = []
    for number in range(trials):
        x, kind = rng.uniform(-2, 2), rng.choice(["a", "b"])
        loss = (x - 1) ** 2 + (kind == "b") + (1e6 if number == 5 else 0)
        made.append(Trial(number, {"x": x, "kind": kind}, State.FINISHED, {"loss": loss}, seconds=0.01))
    spec = {"space": {"kind": "parameters"}, "strategy": {"name": "random", "seed": 0}, "evaluation": {"kind": "function"}}
    return ReportContent("A function", spec, Objective("loss", "minimize"), made, seconds=0.4)


def trade_off_search(
    trials: int = 60, constraints: tuple[Constraint, ...] = (Constraint("latency_ms", "<=", 9),)
) -> ReportContent:
    """A search for networks that are accurate and fast, the slowest of which are not wanted."""
    rng = random.Random(5)
    made = [_trade_off_trial(number, rng) for number in range(trials)]
    others = (Objective("latency_ms"),)
    spec = SPEC | {"objectives": [{"metric": "val_accuracy", "goal": "maximize"}, {"metric": "latency_ms", "goal": "minimize"}]}
    return ReportContent("Fast digits", spec, OBJECTIVE, made, seconds=754.2, others=others, constraints=constraints)


def _trade_off_trial(number: int, rng: random.Random) -> Trial:
    width, dropout = rng.uniform(4, 128), rng.uniform(0, 0.6)
    if number % 13 == 6:
        return Trial(number, {"width": width, "dropout": dropout}, State.FAILED, {}, "the loss became NaN in epoch 2", 3.1)
    accuracy = 0.99 - 0.3 * math.exp(-width / 25) - 0.1 * (dropout - 0.2) ** 2 - abs(rng.gauss(0, 0.02))
    latency = 0.4 + width / 12 + abs(rng.gauss(0, 0.4))
    metrics = {"val_accuracy": accuracy, "latency_ms": latency, "val_loss": 1 - accuracy}
    return Trial(number, {"width": width, "dropout": dropout}, State.FINISHED, metrics, seconds=20.0 + width)
