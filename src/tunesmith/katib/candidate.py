"""A candidate as one parameter of Katib's, and the name of its trial.

Katib pastes values unquoted into the trial's template and wants to know every parameter beforehand, which a conditional space
cannot tell: so a candidate travels as one text of letters, digits, '-' and '_' in one categorical parameter. Katib keeps the
texts of all trials in one object of at most 1.5 MiB, so they are packed: names and values apart, deflated with a dictionary of
the names that spaces of networks use.
"""

import hashlib
import json
import re
from collections.abc import Mapping

from tunesmith.errors import SpecError
from tunesmith.packed_text import pack, unpack
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate

PARAMETER = "candidate"
STOP_RULE = "stop_rule"
PARENT = "parent"
# What `parent` says of a candidate that was edited from none.
NO_PARENT = "none"
# Of a Kubernetes label: a longer name makes a trial whose job is refused.
LONGEST_NAME = 63


def _layers(kind: str, parts: tuple[str, ...]) -> str:
    return "".join(f'"{kind}{number}.{part}",' for number in range(1, 10) for part in parts)


# What it holds need not be packed. Texts that were packed with another one cannot be read: it must never change.
DICTIONARY = (
    _layers("conv", ("dropout", "filters", "kernel"))
    + '"tanh","sigmoid","softplus","leaky_relu","selu","gelu","adamw","nadam","sgd",null,16,8,'
    + '["activation","batch_normalization","batch_size",'
    + _layers("conv", ("dropout", "filters"))
    + '"convs","dense",'
    + _layers("dense", ("dropout", "units"))
    + '"learning_rate","optimizer","relu",true,32,"elu",false,64,"silu",true,128,0.0,0.5,0.1,0.2,0.00,"adam"]"rmsprop"]'
).encode()


def encode(candidate: Candidate) -> str:
    """Return the candidate as a short text."""
    names = sorted(candidate)
    return pack([*names, *(candidate[name] for name in names)], DICTIONARY)


def decode(text: str) -> dict[str, Value]:
    """Return the candidate that `encode` wrote; raises SpecError for any other text."""
    try:
        content = unpack(text, DICTIONARY)
        half = len(content) // 2
        names, values = content[:half], content[half:]
        candidate = dict(zip(names, values, strict=True))
        well_formed = len(candidate) == half and all(isinstance(name, str) for name in names)
    except (TypeError, ValueError):
        candidate, well_formed = {}, False
    if not well_formed or not all(isinstance(value, Value) for value in candidate.values()):
        raise SpecError(f"{PARAMETER}: got {text[:80]!r}; needs what Tunesmith made of a candidate")
    return candidate


def encode_parent(parent: int | None) -> str:
    """Return the number of the trial that a candidate was edited from, as a text."""
    return NO_PARENT if parent is None else str(parent)


def decode_parent(text: str) -> int | None:
    """Return the number that `encode_parent` wrote; raises SpecError for any other text."""
    if text == NO_PARENT:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise SpecError(f"{PARENT}: got {text[:80]!r}; needs a trial's number, or {NO_PARENT!r}")
    return int(text)


def trial_name(study: str, experiment: str, number: int, assigned: Mapping[str, str]) -> str:
    """Return `<experiment>-<number>-<nonce>`, at most 63 characters.

    `assigned`: the trial's parameters as texts. The nonce depends on all arguments, `study` tells the experiment apart from its
    namesakes: Katib keeps metrics by the trial's name alone, for all namespaces and for experiments that are gone.
    """
    told = json.dumps([study, experiment, number, sorted(assigned.items())])
    ending = f"-{number:04d}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    return experiment[: LONGEST_NAME - len(ending)].rstrip("-.") + ending


def issue_number(name: str) -> int | None:
    """Return the trial's number in its name, None where it has none."""
    match = re.fullmatch(r".+-(\d{4,})-[0-9a-f]{8}", name)
    return int(match[1]) if match else None
