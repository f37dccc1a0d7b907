"""Candidates as sequences of tokens, one a parameter, in the order in which the space asks for them.

What a surrogate learns of one block has to hold for blocks that it has never seen (Liu et al., 2018, section 3.3: embeddings
are shared by all blocks). Parameters of the same kind are told by their names: those that differ in their numbers alone.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tunesmith.spaces._distributions import Choice, Distribution
from tunesmith.spaces._space import Candidate, Space, canonical
from tunesmith.strategies._decided import decided

NUMBERS = re.compile(r"\d+")
# A parameter of more values is told as a number.
MOST_OPTIONS = 10
# Of what is read once: candidates that a search ranks are many.
MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Token:
    """A parameter's value: as a `word`, the same for all parameters of its kind, and as a `number` from -1 to 1."""

    name: str
    word: str
    number: float


Tokens = tuple[Token, ...]


class Tokenizer:
    """Reads candidates of one space, each once: a space may be slow to run."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.known: OrderedDict[str, Tokens] = OrderedDict()

    def read(self, candidate: Candidate) -> Tokens:
        """Return a candidate's tokens; none where it does not fit the space."""
        key = canonical(candidate)
        tokens = self.known.get(key)
        if tokens is None:
            found = decided(self.space, candidate) or {}
            tokens = tuple(_token(name, distribution, candidate[name]) for name, distribution in found.items())
            self.known[key] = tokens
            while len(self.known) > MOST_REMEMBERED:
                self.known.popitem(last=False)
        return tokens

    def read_all(self, candidates: Sequence[Candidate]) -> list[Tokens]:
        """Return the tokens of many."""
        return [self.read(candidate) for candidate in candidates]


@lru_cache(maxsize=65536)
def kind_of(name: str) -> str:
    """Return what all parameters of a kind have in common: the name without its numbers."""
    return NUMBERS.sub("", name)


@lru_cache(maxsize=65536, typed=True)
def _token(name: str, distribution: Distribution, value: Any) -> Token:
    listed = distribution.size <= MOST_OPTIONS or isinstance(distribution, Choice)
    word = f"{kind_of(name)}={value!r}" if listed else kind_of(name)
    number = 0.0 if isinstance(distribution, Choice) else 2 * float(distribution.cdf([value])[0]) - 1
    return Token(name, word, number)
