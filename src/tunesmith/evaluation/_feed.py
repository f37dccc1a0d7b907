"""Feeds arrays to Keras: once into tensors per process, from there into pipelines."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.data.dataset import Dataset
from tunesmith.data.info import DatasetInfo
from tunesmith.evaluation._subset import subset

# Most bytes of any layer's output when a network answers a whole batch: large batches cost nothing else.
ANSWER_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Examples:
    """Inputs and the targets that networks are trained on, as TensorFlow tensors on the host."""

    x: Any
    y: Any

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def part(self, positions: np.ndarray) -> "Examples":
        """Return a copy of some of the examples."""
        import tensorflow as tf

        with tf.device("CPU:0"):
            return Examples(tf.gather(self.x, positions), tf.gather(self.y, positions))

    def batches(self, size: int, shuffle_seed: int | None = None) -> Any:
        """Return a `tf.data.Dataset` of (x, y) batches, in new order every epoch where a seed is given."""
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices((self.x, self.y))
        if shuffle_seed is not None:
            data = data.shuffle(len(self), seed=shuffle_seed)
        # With arrays Keras gathers every batch by index, 20 to 40 % slower per epoch on small images than this; one thread of
        # the pipeline's own and no autotuning took another 10 %.
        options = tf.data.Options()
        options.threading.private_threadpool_size = 1
        options.autotune.enabled = False
        return data.batch(size).prefetch(1).with_options(options)


@dataclass(frozen=True)
class Splits:
    """The data set that networks are trained on."""

    info: DatasetInfo
    train: Examples
    validation: Examples

    def both(self) -> Examples:
        """Return train and validation together."""
        import tensorflow as tf

        parts = (self.train, self.validation)
        with tf.device("CPU:0"):
            return Examples(tf.concat([part.x for part in parts], 0), tf.concat([part.y for part in parts], 0))


def load_splits(folder: Path) -> Splits:
    """Return a prepared data set; the last one is kept, since a worker trains on the same one again and again."""
    return _load_splits(folder, DatasetInfo.load(folder).fingerprint)


def load_share(folder: Path, share: float, by: str) -> Splits:
    """Return a prepared data set with a share of its training examples (_subset.py)."""
    fingerprint = DatasetInfo.load(folder).fingerprint
    return _load_splits(folder, fingerprint) if share == 1 else _load_share(folder, fingerprint, share, by)


@lru_cache(maxsize=1)
def _load_splits(folder: Path, fingerprint: str) -> Splits:
    del fingerprint  # part of the key only: a folder may be prepared anew
    dataset = Dataset.load(folder)
    return Splits(dataset.info, *(_examples(dataset, name) for name in ("train", "validation")))


@lru_cache(maxsize=1)
def _load_share(folder: Path, fingerprint: str, share: float, by: str) -> Splits:
    splits = _load_splits(folder, fingerprint)
    has_classes = splits.info.task == "classification"
    chosen = subset(np.asarray(splits.train.x), np.asarray(splits.train.y), share, by, has_classes)
    return replace(splits, train=splits.train.part(chosen))


def _examples(dataset: Dataset, split: str) -> Examples:
    import tensorflow as tf

    x, y = dataset.split(split)
    with tf.device("CPU:0"):
        return Examples(tf.constant(np.asarray(x)), tf.constant(standardised(np.asarray(y), dataset.info)))


def standardised(y: np.ndarray, info: DatasetInfo) -> np.ndarray:
    """Return the labels as networks are trained on them: a regression's target has mean 0 and deviation 1."""
    if info.task == "classification":
        return y
    mean, deviation = info.target_scale
    return ((y - mean) / deviation).astype(np.float32)


def answer_batch(layer_outputs: list[int], least: int) -> int:
    """Return how many examples to answer at a time, so that no layer's output exceeds 64 MiB; at least `least`."""
    return max(least, ANSWER_BYTES // (4 * max([1, *layer_outputs])))
