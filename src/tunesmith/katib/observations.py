"""A trial's metrics in Katib's database: reported while the trial runs (Katib's Push collector), and read back.

Katib keeps rows of a time, a name and a value by the trial's name alone. An evicted trial that begins anew adds to the same
rows; so each step brings a row with the attempt's number, by which the last attempt's steps are told from the others.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import grpc

from tunesmith.errors import ClusterError
from tunesmith.katib import api_pb2, api_pb2_grpc, environment

ATTEMPT = "tunesmith_attempt"
# A time, metrics by name, and the attempt whose step they are, if any.
Report = tuple[datetime, Mapping[str, float], int | None]
# How long a call waits for a database manager that is away.
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 1.0
# Answers that stay what they are.
FINAL = {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
# The manager is a service of the cluster; a proxy, where one is set, leads out of it.
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1), ("grpc.max_reconnect_backoff_ms", 2000)]


class Observations:
    """Katib's database manager at `address` (host:port); raises ClusterError where it stays away for `patience` seconds."""

    def __init__(self, address: str, patience: float | None = None) -> None:
        self.address = address
        self.patience = PATIENCE_SECONDS if patience is None else patience
        self._channel = grpc.insecure_channel(address, options=OPTIONS)
        self._manager: Any = api_pb2_grpc.DBManagerStub(self._channel)

    def report(self, trial_name: str, at: datetime, metrics: Mapping[str, float], attempt: int | None = None) -> None:
        """Add rows of finite metrics at a time that no other report has; without an `attempt` they belong to no step."""
        self.report_all(trial_name, [(at, metrics, attempt)])

    def report_all(self, trial_name: str, reports: Iterable[Report]) -> None:
        """Add many reports at once."""
        rows = [row for at, metrics, attempt in reports for row in _rows(at, metrics, attempt)]
        if not rows:
            return
        log = api_pb2.ObservationLog(metric_logs=rows)
        request = api_pb2.ReportObservationLogRequest(trial_name=trial_name, observation_log=log)
        self._call(self._manager.ReportObservationLog, request)

    def curve(self, trial_name: str, metric: str) -> list[float]:
        """Return a metric's values of the last attempt's steps, in order, also while the trial runs."""
        steps = [row for _, row in self._all_rows(trial_name) if ATTEMPT in row]
        return [float(row[metric]) for row in steps if row[ATTEMPT] == steps[-1][ATTEMPT] and metric in row]

    def last_time(self, trial_name: str) -> datetime | None:
        """Return the time of the last row, None where there is none."""
        rows = self._all_rows(trial_name)
        return _time(rows[-1][0]) if rows else None

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _all_rows(self, trial_name: str) -> list[tuple[str, dict[str, str]]]:
        """Return the trial's rows by time: what was reported at once is one."""
        reply = self._call(self._manager.GetObservationLog, api_pb2.GetObservationLogRequest(trial_name=trial_name))
        return _by_time(reply.observation_log.metric_logs)

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        until = time.monotonic() + self.patience
        while True:
            try:
                return method(request, wait_for_ready=True, timeout=max(0.1, until - time.monotonic()))
            except grpc.RpcError as error:
                code, said = _status(error)
            # A manager whose own database is away answers at once, and says UNKNOWN.
            if code in FINAL or time.monotonic() + PAUSE_SECONDS >= until:
                raise ClusterError(
                    f"{self.address}: Katib's database manager does not answer ({code.name}: {said}); "
                    f"{environment.DB_MANAGER} says where it is"
                )
            time.sleep(PAUSE_SECONDS)


def _rows(at: datetime, metrics: Mapping[str, float], attempt: int | None) -> list[api_pb2.MetricLog]:
    texts = {name: repr(float(value)) for name, value in metrics.items() if math.isfinite(value)}
    if texts and attempt is not None:
        texts[ATTEMPT] = str(attempt)
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return [api_pb2.MetricLog(time_stamp=stamp, metric=api_pb2.Metric(name=name, value=text)) for name, text in texts.items()]


def _by_time(logs: Iterable[api_pb2.MetricLog]) -> list[tuple[str, dict[str, str]]]:
    rows: dict[str, dict[str, str]] = {}
    for log in logs:
        rows.setdefault(log.time_stamp, {})[log.metric.name] = log.metric.value
    return sorted(rows.items(), key=lambda item: _time(item[0]))


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).astimezone(UTC)


def _status(error: Any) -> tuple[grpc.StatusCode, str]:
    return error.code(), error.details() or ""
