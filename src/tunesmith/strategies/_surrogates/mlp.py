"""A surrogate of two hidden layers over what a candidate's tokens are on average (Liu et al., 2018, section 3.3: MLP).

The mean of embeddings is a product with the shares of the words, so that those are the inputs; beside them which values the
parameters have by name, and a space's own features.
"""

from collections.abc import Sequence

import numpy as np

from tunesmith.spaces._capabilities import Featured
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._surrogates.ensemble import MEMBERS, Arrays, spread
from tunesmith.strategies._surrogates.tokens import Tokenizer, Tokens

UNITS = 48
# Inputs further from the mean, in deviations, are cut: larger cells have more of everything.
FURTHEST = 3.0


class Bags:
    """Encodes candidates as rows of numbers, with the columns and scales of those that it was made of."""

    def __init__(self, tokenizer: Tokenizer, candidates: Sequence[Candidate]) -> None:
        self.tokenizer = tokenizer
        keys = {key for tokens in tokenizer.read_all(candidates) for token in tokens for key in _keys(token.name, token.word)}
        self.columns = {key: place for place, key in enumerate(sorted(keys))}
        raw = self._raw(candidates)
        self.mean, deviation = raw.mean(axis=0), raw.std(axis=0)
        self.scale = np.where(deviation > 0, deviation, 1.0)

    def encode(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return one row a candidate, n x k."""
        return np.clip((self._raw(candidates) - self.mean) / self.scale, -FURTHEST, FURTHEST)

    def network(self, rng: np.random.Generator) -> "MLP":
        """Return the network that reads these rows."""
        return MLP(len(self.mean), rng)

    def _raw(self, candidates: Sequence[Candidate]) -> np.ndarray:
        rows = np.zeros((len(candidates), len(self.columns)))
        for row, tokens in zip(rows, self.tokenizer.read_all(candidates), strict=True):
            self._fill(row, tokens)
        return np.concatenate([rows, *_features(self.tokenizer.space, candidates)], axis=1)

    def _fill(self, row: np.ndarray, tokens: Tokens) -> None:
        for token in tokens:
            word, value, name = (self.columns.get(key) for key in _keys(token.name, token.word))
            if word is not None:
                row[word] += 1 / len(tokens)
            if value is not None:
                row[value] = 1
            if name is not None:
                row[name] = token.number


def _keys(name: str, word: str) -> tuple[str, str, str]:
    """Return the columns of a token: its word anywhere, its word in this place, its number in this place."""
    return word, f"{name} {word}", f"{name}#"


def _features(space: Space, candidates: Sequence[Candidate]) -> list[np.ndarray]:
    if not isinstance(space, Featured):
        return []
    return list(space.features(candidates).values())


class MLP:
    """The networks of an ensemble."""

    learning_rate, updates = 0.01, 200

    def __init__(self, width: int, rng: np.random.Generator) -> None:
        self.weights: Arrays = {
            "one": spread(rng, width, UNITS),
            "one bias": np.zeros((MEMBERS, 1, UNITS)),
            "two": spread(rng, UNITS, UNITS),
            "two bias": np.zeros((MEMBERS, 1, UNITS)),
            "three": spread(rng, UNITS, 1) / 4,
            "three bias": np.zeros((MEMBERS, 1, 1)),
        }

    def forward(self, inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        one = np.maximum(inputs @ self.weights["one"] + self.weights["one bias"], 0)
        two = np.maximum(one @ self.weights["two"] + self.weights["two bias"], 0)
        return (two @ self.weights["three"] + self.weights["three bias"])[..., 0], [inputs, one, two]

    def backward(self, memory: list[np.ndarray], slopes: np.ndarray) -> Arrays:
        inputs, one, two = memory
        last = slopes[..., None]
        middle = (last @ self.weights["three"].swapaxes(1, 2)) * (two > 0)
        first = (middle @ self.weights["two"].swapaxes(1, 2)) * (one > 0)
        return {
            "three": two.swapaxes(1, 2) @ last,
            "three bias": last.sum(axis=1, keepdims=True),
            "two": one.swapaxes(1, 2) @ middle,
            "two bias": middle.sum(axis=1, keepdims=True),
            "one": inputs.swapaxes(1, 2) @ first,
            "one bias": first.sum(axis=1, keepdims=True),
        }
