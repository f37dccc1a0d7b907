"""Hands metrics to Katib's database from a thread of its own: a database that is away holds up no trial."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import TypeVar

from tunesmith.errors import ClusterError

T = TypeVar("T")
# Katib takes the row with the greatest time for the trial's result.
MOMENT = timedelta(microseconds=1)
PAUSE_SECONDS = 5.0
# So many reports are sent at once, where they come faster than the database takes them.
MOST_AT_ONCE = 200
Row = tuple[datetime, Mapping[str, float], int | None]


class Reports:
    """The reports of one trial, by its name, to the database manager at `address`; their times only grow."""

    def __init__(self, address: str, trial_name: str) -> None:
        self.address, self.trial_name = address, trial_name
        self._queue: SimpleQueue[Row | None] = SimpleQueue()
        self._closing = threading.Event()
        self._error: Exception | None = None
        # A thread of this kind does not keep the process from ending.
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, metrics: Mapping[str, float], attempt: int | None = None) -> None:
        """Report metrics, of a step of an `attempt` or, without one, the trial's last word; returns at once."""
        self._queue.put((datetime.now(UTC), dict(metrics), attempt))

    def close(self, seconds: float | None = None) -> None:
        """Wait until all is delivered, at most `seconds`; raises ClusterError where the database does not take it."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(seconds)
        if self._error:
            raise self._error

    def _work(self) -> None:
        # Imported here, while the trial gets ready elsewhere.
        from tunesmith.katib.observations import Observations

        observations = Observations(self.address)
        try:
            # An earlier pod may have reported by another machine's clock.
            last = self._insist(lambda: observations.last_time(self.trial_name)) or datetime.fromtimestamp(0, UTC)
            while rows := self._next_rows():
                rows = [(last := max(at, last + MOMENT), metrics, attempt) for at, metrics, attempt in rows]
                self._insist(lambda rows=rows: observations.report_all(self.trial_name, rows))
        except Exception as error:
            self._error = error
        finally:
            observations.close()

    def _next_rows(self) -> list[Row]:
        """Wait for a row; return it with those that wait behind it, none at the end."""
        rows = []
        while len(rows) < MOST_AT_ONCE and (not rows or not self._queue.empty()):
            row = self._queue.get()
            if row is None:
                # For the next call, where there are rows to be sent first.
                self._queue.put(None)
                break
            rows.append(row)
        return rows

    def _insist(self, call: Callable[[], T]) -> T:
        """Return what the call returns, repeated as long as the trial runs and once more at its end."""
        while True:
            last_try = self._closing.is_set()
            try:
                return call()
            except ClusterError:
                if last_try:
                    raise
            self._closing.wait(PAUSE_SECONDS)
