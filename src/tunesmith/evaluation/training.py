"""Judges a candidate by training its network in full: early stopping, best epoch restored, scored on the validation split."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.aims import Aims, Objective
from tunesmith.errors import TrialFailed, TrialStopped
from tunesmith.evaluation._context import Context, Evaluator
from tunesmith.evaluation._feed import Splits, answer_batch, load_share
from tunesmith.evaluation._gpus import gpu_time
from tunesmith.evaluation._growing import growing_counts, growing_order
from tunesmith.evaluation._inheritance import inherit
from tunesmith.evaluation._measured import measured, network_metrics, trained_by
from tunesmith.evaluation._memory import activations, check_final, measure, training_bytes
from tunesmith.evaluation._network import in_target_units, make_network, make_variables, save_model, trainable
from tunesmith.evaluation._runtimes import check_installed
from tunesmith.evaluation._session import fresh_session, memory_errors
from tunesmith.evaluation._watch import Metrics, Watch
from tunesmith.sections import EvaluationSpec
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces._training import Foreseeable, Size, Training

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class TrainingEvaluator(Evaluator):
    """Trains on the train split of the prepared data in the folder `dataset`, at most `epochs` epochs.

    `patience`: ends a training after so many epochs without a better objective. `measured`: what the trained network is to be
    measured by (_measured.py). `growing`: the examples become more from epoch to epoch (_growing.py). `share`, `by`: of the
    training examples that are used (_subset.py). `full`: the space of the final networks where those of `space` are smaller;
    these are what is measured then, untrained, and have to fit the memory, too. Raises SpecError for a space without networks.
    """

    space: Space
    dataset: Path
    objective: Objective
    epochs: int
    patience: int | None = None
    measured: tuple[str, ...] = ()
    growing: bool = False
    share: float = 1.0
    by: str = "classes"
    full: Space | None = None

    @classmethod
    def for_aims(
        cls, space: Space, dataset: Path, aims: Aims, asked: EvaluationSpec, full: Space | None = None
    ) -> "TrainingEvaluator":
        """Return the evaluator that reports what a search with these aims asks for; `full`: the space of the final networks."""
        patience = asked.early_stopping.patience if asked.early_stopping else None
        return cls(
            *(space, dataset, trained_by(aims), asked.epochs, patience, measured(aims), asked.examples == "growing"),
            share=asked.share,
            by=asked.by,
            full=full if asked.size else None,
        )

    def __post_init__(self) -> None:
        trainable(self.space)
        # Workers have a working folder of their own.
        object.__setattr__(self, "dataset", self.dataset.absolute())

    def check_installed(self) -> None:
        """Raise SpecError where what the network is to be measured by needs a package that is missing."""
        check_installed(self.measured)

    def preload(self) -> list[str]:
        """Return what workers import before they are forked."""
        return ["tensorflow", "keras", "tunesmith.evaluation.training", type(self.space).__module__]

    def evaluate(self, candidate: Candidate, context: Context) -> dict[str, float]:
        """Return the best epoch's metrics, those of the validation split measured anew; writes `model.keras`.

        Raises TrialFailed where the training's estimated memory exceeds the limit, or that of the final network's training
        does, before the network is built where the space can tell, else before it is trained; later where the loss is not
        finite or memory runs out. Raises TrialStopped with the best metrics so far.
        """
        with gpu_time(context.facts), fresh_session(), memory_errors():
            return self._train(candidate, context)

    def _train(self, candidate: Candidate, context: Context) -> Metrics:
        splits = load_share(self.dataset, self.share, self.by)
        if isinstance(self.space, Foreseeable):
            _check_memory(self.space.estimate(candidate, splits.info), context)
        if self.full:
            check_final(self.full, candidate, splits.info, context.memory_limit)
        training = make_network(trainable(self.space), candidate, splits.info, context.seed)
        _check_memory(measure(training), context)
        inherit(self.space, candidate, training.model, context)
        watch = self._fit(training, splits, context)
        metrics = _score(watch, training, splits)
        if isinstance(watch.ending, TrialStopped):
            raise TrialStopped(str(watch.ending), metrics)
        save_model(in_target_units(training.model, splits.info), context.folder / "model.keras")
        return metrics | self._measure(training, splits, candidate, context.seed)

    def _measure(self, training: Training, splits: Splits, candidate: Candidate, seed: int) -> Metrics:
        """Return what the final network is measured by."""
        if not self.measured:
            return {}
        final = make_network(trainable(self.full), candidate, splits.info, seed) if self.full else training
        return network_metrics(final.model, splits.validation.x, self.measured)

    def _fit(self, training: Training, splits: Splits, context: Context) -> Watch:
        """Train, noting in the context's facts what it took; raises TrialFailed where the training fails."""
        watch = Watch(training.model, self.objective, context.report, self.patience, splits.info.target_scale[1])
        make_variables(training.model, splits.train.x, splits.train.y)
        validation = splits.validation.batches(_answer_batch(training))
        started = time.monotonic()
        for epochs, batches in self._courses(training, splits, context.seed):
            fit(training.model, batches, epochs, watch, validation, first=watch.epochs)
            if training.model.stop_training:
                break
        context.facts["fit_seconds"] = time.monotonic() - started
        context.facts["epochs"] = watch.epochs
        context.facts["best_epoch"] = watch.best_epoch
        if isinstance(watch.ending, TrialFailed):
            raise watch.ending
        return watch

    def _courses(self, training: Training, splits: Splits, seed: int) -> Iterator[tuple[int, Any]]:
        """Yield after how many epochs a course of the training ends, and its batches."""
        epochs = training.epochs or self.epochs
        if not self.growing:
            yield epochs, splits.train.batches(training.batch_size, seed)
            return
        order = growing_order(splits.train.y.numpy(), splits.info.task == "classification")
        for epoch, count in enumerate(growing_counts(len(order), epochs, training.batch_size), start=1):
            yield epoch, splits.train.part(order[:count]).batches(training.batch_size, seed + epoch)


def fit(
    model: "keras.Model",
    train: object,
    epochs: int,
    watch: Watch,
    validation: object = None,
    first: int = 0,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
) -> None:
    """Run Keras' `fit` with `watch` from epoch `first`, counted from 0, until so many epochs are done.

    More steps per execution gained nothing on small images and cost tracing time.
    """
    import keras

    model.fit(
        train,
        epochs=epochs,
        initial_epoch=first,
        verbose=0,  # pyright: ignore[reportArgumentType]  # it is annotated by its default, "auto"
        shuffle=False,  # `train` is shuffled already
        validation_data=validation,
        callbacks=[*callbacks, keras.callbacks.LambdaCallback(on_epoch_end=watch.on_epoch_end)],
    )


def _score(watch: Watch, training: Training, splits: Splits) -> Metrics:
    """Restore the best epoch and return its metrics, the validation metrics measured with the restored weights."""
    watch.restore()
    scored = training.model.evaluate(splits.validation.batches(_answer_batch(training)), verbose=0, return_dict=True)
    metrics = watch.best | watch.in_units({f"val_{name}": value for name, value in scored.items()})
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    if watch.objective.metric not in finite:
        raise TrialFailed(f"{watch.objective.metric} is {metrics[watch.objective.metric]}")
    return finite


def _answer_batch(training: Training) -> int:
    return answer_batch(activations(training.model), training.batch_size)


def _check_memory(size: Size, context: Context) -> None:
    """Refuse a network that does not fit; raises TrialFailed with the figures."""
    needed = training_bytes(size)
    context.facts["estimated_memory"] = needed
    context.facts["parameters"] = size.parameters
    if context.memory_limit is not None and needed > context.memory_limit:
        raise TrialFailed(
            f"needs about {needed / 2**20:.0f} MiB to train ({size.parameters:,} parameters, "
            f"batches of {size.batch_size}); allowed: {context.memory_limit / 2**20:.0f} MiB"
        )
