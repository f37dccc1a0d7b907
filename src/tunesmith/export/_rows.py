"""Encodes a table's raw rows inside a TensorFlow graph, exactly as TableEncoding does outside of it."""

from collections.abc import Mapping
from typing import Any

from tunesmith.data.encoding import Column, TableEncoding


def encode_rows(rows: Mapping[str, Any], encoding: TableEncoding) -> Any:
    """Return float32 features of shape (rows, features) from a tensor of shape (rows,) per column's name."""
    import tensorflow as tf

    return tf.concat([_encode_column(rows[column.name], column, encoding.limit) for column in encoding.columns], axis=1)


def _encode_column(values: Any, column: Column, limit: float) -> Any:
    return _encode_numbers(values, column, limit) if column.kind == "numeric" else _encode_texts(values, column)


def _encode_numbers(values: Any, column: Column, limit: float) -> Any:
    import tensorflow as tf

    missing = tf.math.is_nan(values)
    filled = tf.where(missing, tf.constant(column.fill, tf.float32), values)
    scaled = tf.clip_by_value((filled - column.mean) / column.deviation, -limit, limit)
    features = [scaled, tf.cast(missing, tf.float32)] if column.indicator else [scaled]
    return tf.stack(features, axis=1)


def _encode_texts(values: Any, column: Column) -> Any:
    import tensorflow as tf

    missing = tf.equal(values, "")
    # One comparison per text rather than a lookup table, which a SavedModel would have to initialise when it is loaded.
    known = tf.equal(values[:, None], tf.constant(column.vocabulary, tf.string, shape=(1, len(column.vocabulary))))
    features = [known]
    if column.other:
        features.append(tf.logical_not(tf.reduce_any(known, axis=1) | missing)[:, None])
    if column.indicator:
        features.append(missing[:, None])
    return tf.cast(tf.concat(features, axis=1), tf.float32)
