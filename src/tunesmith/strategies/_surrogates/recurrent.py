"""A surrogate that reads a candidate's tokens one after the other by an LSTM (Liu et al., 2018, section 3.3: RNN)."""

from collections.abc import Sequence

import numpy as np

from tunesmith.spaces._space import Candidate
from tunesmith.strategies._surrogates.ensemble import MEMBERS, Arrays, spread
from tunesmith.strategies._surrogates.tokens import Tokenizer, kind_of

UNITS = 24
# What a token is told by: its word, its parameter's kind, and its number.
WORD, KIND, NUMBER = range(3)
# A step after a candidate's last token.
END = -1.0


class Sequences:
    """Encodes candidates as numbered tokens; words that those lack which it was made of have the number 0."""

    def __init__(self, tokenizer: Tokenizer, candidates: Sequence[Candidate]) -> None:
        self.tokenizer = tokenizer
        tokens = [token for each in tokenizer.read_all(candidates) for token in each]
        self.words = {word: place for place, word in enumerate(sorted({token.word for token in tokens}), 1)}
        self.kinds = {kind: place for place, kind in enumerate(sorted({kind_of(token.name) for token in tokens}), 1)}

    def encode(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return n x length x 3: words, kinds, numbers; the shorter ones' first steps are empty."""
        read = self.tokenizer.read_all(candidates)
        rows = np.full((len(read), max(map(len, read), default=0), 3), END)
        for row, tokens in zip(rows, read, strict=True):
            for step, token in enumerate(tokens, len(row) - len(tokens)):
                row[step] = self.words.get(token.word, 0), self.kinds.get(kind_of(token.name), 0), token.number
        return rows

    def network(self, rng: np.random.Generator) -> "Recurrent":
        """Return the network that reads these sequences."""
        return Recurrent(len(self.words), len(self.kinds), rng)


class Recurrent:
    """The networks of an ensemble. An empty step leaves the state as it is."""

    learning_rate, updates = 0.02, 150

    def __init__(self, words: int, kinds: int, rng: np.random.Generator) -> None:
        self.weights: Arrays = {
            "words": 0.5 * rng.normal(size=(MEMBERS, words + 1, UNITS)),
            "kinds": 0.5 * rng.normal(size=(MEMBERS, kinds + 1, UNITS)),
            "numbers": 0.5 * rng.normal(size=(MEMBERS, kinds + 1, UNITS)),
            "gates": spread(rng, 2 * UNITS, 4 * UNITS) / 2,
            "gates bias": np.zeros((MEMBERS, 1, 4 * UNITS)),
            "out": spread(rng, UNITS, 1) / 2,
            "out bias": np.zeros((MEMBERS, 1, 1)),
        }
        for name in ("words", "kinds", "numbers"):
            self.weights[name][:, 0] = 0

    def forward(self, inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        hidden = memory = np.zeros((*inputs.shape[:2], UNITS))
        past: list[np.ndarray] = []
        for step in range(inputs.shape[2]):
            token = inputs[:, :, step]
            there = (token[..., WORD] != END)[..., None]
            both = np.concatenate([self._embedded(token), hidden], axis=2)
            gates = _gates(both @ self.weights["gates"] + self.weights["gates bias"])
            i, f, o, g = np.split(gates, 4, axis=2)
            new = f * memory + i * g
            squashed = np.tanh(new)
            past += [token, there, both, gates, memory, squashed]
            hidden, memory = np.where(there, o * squashed, hidden), np.where(there, new, memory)
        return (hidden @ self.weights["out"] + self.weights["out bias"])[..., 0], [*past, hidden]

    def backward(self, memory: list[np.ndarray], slopes: np.ndarray) -> Arrays:
        *past, hidden = memory
        grown = {name: np.zeros_like(weights) for name, weights in self.weights.items()}
        grown["out"] = hidden.swapaxes(1, 2) @ slopes[..., None]
        grown["out bias"] = slopes.sum(axis=1)[:, None, None]
        by_hidden = slopes[..., None] @ self.weights["out"].swapaxes(1, 2)
        by_memory = np.zeros_like(by_hidden)
        for at in range(len(past) - 6, -1, -6):
            by_hidden, by_memory = self._step_back(past[at : at + 6], by_hidden, by_memory, grown)
        return grown

    def _step_back(
        self, past: list[np.ndarray], by_hidden: np.ndarray, by_memory: np.ndarray, grown: Arrays
    ) -> tuple[np.ndarray, np.ndarray]:
        """Add one step's gradient to `grown`; return that by the state before it."""
        token, there, both, gates, before, squashed = past
        i, f, o, g = np.split(gates, 4, axis=2)
        inner = np.where(there, by_memory + by_hidden * o * (1 - squashed**2), 0)
        outer = np.where(there, by_hidden * squashed, 0)
        raw = np.concatenate(
            [inner * g * i * (1 - i), inner * before * f * (1 - f), outer * o * (1 - o), inner * i * (1 - g**2)], axis=2
        )
        grown["gates"] += both.swapaxes(1, 2) @ raw
        grown["gates bias"] += raw.sum(axis=1, keepdims=True)
        by_both = raw @ self.weights["gates"].swapaxes(1, 2)
        self._embed_back(token, by_both[..., :UNITS], grown)
        return np.where(there, by_both[..., UNITS:], by_hidden), np.where(there, inner * f, by_memory)

    def _embedded(self, token: np.ndarray) -> np.ndarray:
        member = np.arange(MEMBERS)[:, None]
        word, kind = (np.maximum(token[..., part], 0).astype(int) for part in (WORD, KIND))
        of_number = token[..., NUMBER, None] * self.weights["numbers"][member, kind]
        return self.weights["words"][member, word] + self.weights["kinds"][member, kind] + of_number

    def _embed_back(self, token: np.ndarray, slopes: np.ndarray, grown: Arrays) -> None:
        for name, part in (("words", WORD), ("kinds", KIND), ("numbers", KIND)):
            parts = np.maximum(token[..., part], 0).astype(int)
            chosen = parts[..., None] == np.arange(self.weights[name].shape[1])
            scaled = slopes * token[..., NUMBER, None] if name == "numbers" else slopes
            grown[name] += chosen.swapaxes(1, 2).astype(float) @ scaled


def _gates(raw: np.ndarray) -> np.ndarray:
    """Return input, forget (open at first) and output gates by the logistic function, and the new memory by tanh."""
    gates = np.tanh(raw)
    shifted = raw[..., : 3 * UNITS].copy()
    shifted[..., UNITS : 2 * UNITS] += 1
    gates[..., : 3 * UNITS] = 0.5 * (1 + np.tanh(shifted / 2))
    return gates
