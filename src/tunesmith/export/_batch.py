"""The examples on which an export is compared with its model."""

from pathlib import Path

import numpy as np

from tunesmith.data.dataset import Dataset
from tunesmith.data.encoding import TableEncoding
from tunesmith.export._exporter import Batch
from tunesmith.model_folder import ModelFolder

EXAMPLES = 64
UNSEEN = "a category never seen in training"


def sample_batch(source: ModelFolder, dataset: Dataset, where: Path) -> Batch:
    """Return the data set's first test examples, at most EXAMPLES; raises DataError where it is not the model's kind."""
    x, _ = source.test_examples(dataset, where)
    columns = {} if source.encoding is None else {name: values[:EXAMPLES] for name, values in dataset.raw("test").items()}
    return Batch(np.asarray(x[:EXAMPLES], dtype=np.float32), columns)


def seeded_batch(source: ModelFolder) -> Batch:
    """Return EXAMPLES random examples, the same each time: pixels over the range seen in training, or table rows."""
    rng = np.random.default_rng(0)
    if source.encoding is None:
        seen = source.info.statistics
        low, high = seen.get("minimum", 0.0), seen.get("maximum", 255.0)
        return Batch(rng.uniform(low, high, (EXAMPLES, *source.info.input_shape)).astype(np.float32), {})
    columns = _random_rows(source.encoding, rng)
    return Batch(source.encode(columns, source.path), columns)


def _random_rows(encoding: TableEncoding, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw rows with about one value in eight missing and categories that training has not seen."""
    columns: dict[str, np.ndarray] = {}
    for column in encoding.columns:
        if column.kind == "numeric":
            values = rng.normal(column.mean, column.deviation, EXAMPLES).astype(np.float32)
            columns[column.name] = np.where(rng.random(EXAMPLES) < 1 / 8, np.float32(np.nan), values)
        else:
            columns[column.name] = rng.choice(np.array([*column.vocabulary, UNSEEN, ""]), EXAMPLES)
    return columns
