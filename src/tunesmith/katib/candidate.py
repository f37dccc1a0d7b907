"""A candidate as one parameter of Katib's, and the name of its trial.

Katib pastes values unquoted into the trial's template and wants to know every parameter beforehand, which a conditional space
cannot tell: so a candidate travels as one text of letters, digits, '-' and '_' in one categorical parameter.
"""

import base64
import hashlib
import json
import re
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate, canonical

PARAMETER = "candidate"
# Of a Kubernetes label: a longer name makes a trial whose job is refused.
LONGEST_NAME = 63


def encode(candidate: Candidate) -> str:
    """Return the candidate as base64url of its JSON, without padding."""
    return base64.urlsafe_b64encode(canonical(candidate).encode()).decode().rstrip("=")


def decode(text: str) -> dict[str, Value]:
    """Return the candidate that `encode` wrote; raises SpecError for any other text."""
    try:
        content: Any = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(value, Value) for value in content.values()):
        raise SpecError(f"{PARAMETER}: got {text[:80]!r}; needs base64url of a candidate's JSON")
    return content


def trial_name(experiment: str, spec: str, number: int, encoded: str) -> str:
    """Return `<experiment>-<issue number>-<nonce>`, at most 63 characters.

    The nonce depends on all arguments (`spec` is the setting's text): Katib keeps metrics by the trial's name alone, for all
    namespaces and for experiments that are gone.
    """
    nonce = hashlib.sha256("\n".join([experiment, spec, str(number), encoded]).encode()).hexdigest()[:8]
    ending = f"-{number:04d}-{nonce}"
    return experiment[: LONGEST_NAME - len(ending)].rstrip("-.") + ending


def issue_number(name: str) -> int | None:
    """Return the issue number in a trial's name, None where it has none."""
    match = re.fullmatch(r".+-(\d{4,})-[0-9a-f]{8}", name)
    return int(match[1]) if match else None
