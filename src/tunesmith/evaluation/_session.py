"""Keeps a process that trains one network after the other from growing, and names its want of memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from tunesmith.errors import TrialFailed


@contextmanager
def fresh_session() -> Iterator[None]:
    """Free at its end what Keras and TensorFlow keep of the networks made inside."""
    import keras

    _freeze_libraries()
    before = set(_custom_gradients())
    try:
        yield
    finally:
        registry = _custom_gradients()
        for name in set(registry) - before:
            del registry[name]
        keras.backend.clear_session(free_memory=True)


def _custom_gradients() -> dict[str, object]:
    """Return TensorFlow's table of gradient functions, to which every traced training step adds one for good.

    Each holds its whole graph: 8 MB a trial that neither Keras' `clear_session` nor the garbage collector frees. There is no
    public way to them (TensorFlow 2.21); a version that keeps them elsewhere grows, and works.
    """
    from tensorflow.python.framework import ops

    return getattr(getattr(ops, "gradient_registry", None), "_registry", {})


@cache
def _freeze_libraries() -> None:
    """Exempt what is imported by now from garbage collection: a pass over TensorFlow's modules takes 0.2 s a trial."""
    gc.freeze()


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn what TensorFlow and Python raise for want of memory into TrialFailed."""
    import tensorflow as tf

    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        lines = str(error).strip().splitlines()
        raise TrialFailed(f"out of memory: {lines[0] if lines else 'an allocation was refused'}") from None
