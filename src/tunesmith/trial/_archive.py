"""A trial's folder at the storage: what earlier pods left there, and what this one leaves."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith import storage
from tunesmith.files import write_json
from tunesmith.record import Curve, outcome_content
from tunesmith.spaces._space import Candidate, canonical
from tunesmith.study import State, Trial

CANDIDATE, OUTCOME, ATTEMPTS = "candidate.json", "outcome.json", "attempts"


@dataclass(frozen=True)
class Archive:
    """The folder at `uri` of the trial of that number and candidate."""

    uri: str
    number: int
    candidate: Candidate

    def open(self) -> Trial | int:
        """Return the trial as it ended in an earlier pod, else the number of attempts that did not end.

        What another study left under this number is deleted.
        """
        left = storage.names(self.uri)
        found = self._json(CANDIDATE) if CANDIDATE in left else None
        if not isinstance(found, dict) or canonical(found) != canonical(self.candidate):
            if left:
                storage.remove(self.uri)
            return 0
        ended = self._ended() if OUTCOME in left else None
        if ended:
            return ended
        attempts = self._json(ATTEMPTS) if ATTEMPTS in left else None
        return attempts if isinstance(attempts, int) else 0

    def begin(self, attempt: int) -> None:
        """Note that an attempt begins."""
        storage.write_text(storage.join(self.uri, ATTEMPTS), str(attempt))
        storage.write_text(storage.join(self.uri, CANDIDATE), json.dumps(dict(self.candidate), indent=2) + "\n")

    def keep(self, folder: Path, trial: Trial, curve: Curve) -> None:
        """Copy the trial's folder with its outcome, which comes last."""
        write_json(folder / OUTCOME, outcome_content(trial, curve))
        storage.upload(folder, self.uri)

    def _ended(self) -> Trial | None:
        """Return the trial of the outcome, None where that is damaged."""
        outcome = self._json(OUTCOME)
        try:
            del outcome["curve"]
            return Trial(self.number, self.candidate, **{**outcome, "state": State(outcome["state"])})
        except (KeyError, TypeError, ValueError):
            return None

    def _json(self, name: str) -> Any:
        """Return a file's content, None where it is damaged."""
        try:
            return json.loads(storage.read_text(storage.join(self.uri, name)))
        except ValueError:
            return None
