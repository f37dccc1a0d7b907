"""Knows when to give up on an Experiment that does not get on."""

import time
from collections.abc import Sequence

from tunesmith.katib.diagnosis import Trouble

NOTHING = "Katib shows neither trials nor a reason; look at the logs of katib-controller"


class Patience:
    """Runs out `seconds` after the last progress."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since = self._asked = time.monotonic()
        self._troubles: list[Trouble] = []

    def progressed(self) -> None:
        """Begin to wait anew."""
        self._since = time.monotonic()
        self._troubles = []

    def due(self, seconds: float) -> bool:
        """Tell whether nothing has moved for some time and the last question is as long ago."""
        now = time.monotonic()
        if min(now - self._since, now - self._asked) < min(seconds, self.seconds / 2):
            return False
        self._asked = now
        return True

    def over(self, troubles: Sequence[Trouble]) -> bool:
        """Take note of what is wrong now; tells whether it is time to give up."""
        self._troubles = list(troubles) or self._troubles
        return time.monotonic() - self._since > self.seconds

    def explanation(self) -> str:
        """Return what was wrong, for the user."""
        found = "\n".join(trouble.text for trouble in self._troubles) or NOTHING
        return f"{found}\n(nothing moved for {self.seconds:g} s; cluster.start_seconds sets how long to wait)"
