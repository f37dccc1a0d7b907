"""Counts how long a trial holds the GPUs that TensorFlow works with in its process."""

import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

# As the cluster's trials tell it, so that a gain by the GPU-hour is foretold for both.
FACT = "gpu_seconds"


@contextmanager
def gpu_time(facts: MutableMapping[str, float]) -> Iterator[None]:
    """Note in `facts` the GPU seconds of what is done inside, however it ends; nothing where there is no GPU."""
    started = time.monotonic()
    try:
        yield
    finally:
        if gpus := visible_gpus():
            facts[FACT] = gpus * (time.monotonic() - started)


def visible_gpus() -> int:
    """Return how many GPUs TensorFlow uses in this process."""
    import tensorflow as tf

    return len(tf.config.get_visible_devices("GPU"))
