"""A recurrent policy in NumPy: an LSTM that decides one parameter after the other, each by a softmax of its own.

It reads the embedding of its previous decision, as the controllers of Zoph et al. (2018, section 3 and appendix A) and Pham et
al. (2018, section 2) do.
"""

import copy
import hashlib
from collections.abc import Iterable

import numpy as np

from tunesmith.strategies._policy.decisions import Decision, Episode

UNITS = 32
SPREAD = 0.1
FIRST = "first input"
Arrays = dict[str, np.ndarray]
Step = tuple[np.ndarray, ...]


class Policy:
    """The weights of a policy, by name; those of a parameter's softmax are made when it is first met, always the same.

    `baseline`: the reward that it has come to expect.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.baseline = 0.0
        self.weights: Arrays = {}
        self.means: Arrays = {}
        self.squares: Arrays = {}
        self.updates = 0
        self._add("gates", (2 * UNITS, 4 * UNITS), SPREAD)
        self._add("gates bias", (4 * UNITS,), 0.0)
        self._add(FIRST, (1, UNITS), SPREAD)

    def copy(self) -> "Policy":
        """Return a policy of its own with the same weights."""
        return copy.deepcopy(self)

    def meet(self, decision: Decision) -> None:
        """Make the weights of a parameter's softmax and of the embedding of its options, where it is new."""
        if f"{decision.key} out" in self.weights:
            return
        # Near 0: at first every option is about equally likely.
        self._add(f"{decision.key} out", (UNITS, decision.options), SPREAD / 2)
        self._add(f"{decision.key} bias", (decision.options,), 0.0)
        self._add(f"{decision.key} in", (decision.options, UNITS), SPREAD)

    def begin(self, count: int = 1) -> Step:
        """Return the state before the first decision: output, memory and input, count x UNITS each."""
        zeros = np.zeros((count, UNITS))
        return zeros, zeros, np.repeat(self.weights[FIRST], count, axis=0)

    def step(self, state: Step) -> Step:
        """Return output and memory after one step, then what the way back needs."""
        hidden, memory, read = state
        both = np.concatenate([read, hidden], axis=1)
        raw = both @ self.weights["gates"] + self.weights["gates bias"]
        i, f, o = (_sigmoid(raw[:, k * UNITS : (k + 1) * UNITS] + (k == 1)) for k in range(3))
        g = np.tanh(raw[:, 3 * UNITS :])
        new = f * memory + i * g
        squashed = np.tanh(new)
        return o * squashed, new, both, i, f, o, g, memory, squashed

    def chances(self, decision: Decision, hidden: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Return the probability of every option, n x options."""
        self.meet(decision)
        logits = hidden @ self.weights[f"{decision.key} out"] + self.weights[f"{decision.key} bias"]
        return _softmax(logits / temperature)

    def embedded(self, decision: Decision, options: np.ndarray) -> np.ndarray:
        """Return what the next step reads after these options."""
        return self.weights[f"{decision.key} in"][options]

    def gradient(self, episode: Episode, options: np.ndarray, weights: np.ndarray, entropy: float) -> Arrays:
        """Return the gradient of sum(weights * log p(options)) + entropy * sum of the softmaxes' entropies.

        An option's log p is that of its decision's targets.

        episode: any of those told; options: n x steps; weights: n.
        """
        steps, chances = self._forward(episode, options)
        found = {name: np.zeros_like(self.weights[name]) for name in ("gates", "gates bias", FIRST)}
        back_hidden = back_memory = np.zeros((len(options), UNITS))
        for t in range(len(steps) - 1, -1, -1):
            decision, p = episode.decisions[t], chances[t]
            logs = np.log(np.maximum(p, 1e-12))
            own = weights[:, None] * (decision.targets[options[:, t]] - p)
            own -= entropy * p * (logs - (p * logs).sum(axis=1, keepdims=True))
            _add_to(found, f"{decision.key} out", steps[t][0].T @ own)
            _add_to(found, f"{decision.key} bias", own.sum(axis=0))
            back = own @ self.weights[f"{decision.key} out"].T + back_hidden
            back_read, back_hidden, back_memory = self._backward(steps[t], back, back_memory, found)
            if t == 0:
                found[FIRST] += back_read.sum(axis=0, keepdims=True)
                continue
            before = episode.decisions[t - 1]
            embedding = np.zeros_like(self.weights[f"{before.key} in"])
            np.add.at(embedding, options[:, t - 1], back_read)
            _add_to(found, f"{before.key} in", embedding)
        return found

    def ascend(self, gradients: Iterable[Arrays], rate: float) -> None:
        """Take one step of Adam (Kingma & Ba, 2015) up the sum of the gradients."""
        total: Arrays = {}
        for gradient in gradients:
            for name, array in gradient.items():
                _add_to(total, name, array)
        norm = np.sqrt(sum(float((array**2).sum()) for array in total.values()))
        scale = min(1.0, 5.0 / max(norm, 1e-12))
        self.updates += 1
        for name, array in total.items():
            self.means[name] = 0.9 * self.means[name] + 0.1 * scale * array
            self.squares[name] = 0.999 * self.squares[name] + 0.001 * (scale * array) ** 2
            mean, square = self.means[name] / (1 - 0.9**self.updates), self.squares[name] / (1 - 0.999**self.updates)
            self.weights[name] = self.weights[name] + rate * mean / (np.sqrt(square) + 1e-8)

    def _forward(self, episode: Episode, options: np.ndarray) -> tuple[list[Step], list[np.ndarray]]:
        steps, chances, state = [], [], self.begin(len(options))
        for t, decision in enumerate(episode.decisions):
            steps.append(self.step(state))
            chances.append(self.chances(decision, steps[-1][0]))
            state = (steps[-1][0], steps[-1][1], self.embedded(decision, options[:, t]))
        return steps, chances

    def _backward(self, step: Step, back: np.ndarray, back_memory: np.ndarray, found: Arrays) -> Step:
        """Add to the gates' gradients; returns the gradients of what was read, of the output and the memory before."""
        _, _, both, i, f, o, g, memory, squashed = step
        through = back * o * (1 - squashed**2) + back_memory
        raw = np.concatenate(
            [
                through * g * i * (1 - i),
                through * memory * f * (1 - f),
                back * squashed * o * (1 - o),
                through * i * (1 - g**2),
            ],
            axis=1,
        )
        found["gates"] += both.T @ raw
        found["gates bias"] += raw.sum(axis=0)
        inner = raw @ self.weights["gates"].T
        return inner[:, :UNITS], inner[:, UNITS:], through * f

    def _add(self, name: str, shape: tuple[int, ...], spread: float) -> None:
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        values = np.random.default_rng(np.frombuffer(digest, dtype=np.uint32)).normal(size=shape)
        self.weights[name] = spread * values
        self.means[name], self.squares[name] = np.zeros(shape), np.zeros(shape)


def _add_to(found: Arrays, name: str, array: np.ndarray) -> None:
    found[name] = found[name] + array if name in found else array


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * values))


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
