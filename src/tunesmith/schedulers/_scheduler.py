"""The scheduler seam: decides during a trial whether it goes on."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence


class Scheduler(ABC):
    """Ends trials early. A subclass is a frozen dataclass whose fields are its settings."""

    @abstractmethod
    def verdict(self, losses: Sequence[float], others: Mapping[int, Sequence[float]]) -> str:
        """Return why the trial should stop now, or an empty text to let it go on.

        `losses` are the trial's, one per step so far, smaller is better; `others` those of the finished trials by number.
        """
