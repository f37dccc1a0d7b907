"""Katib's database manager in this process: keeps rows as Katib's own does (tests/cluster holds it to that)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc

from tunesmith.katib import api_pb2, api_pb2_grpc


@dataclass
class DBManager(api_pb2_grpc.DBManagerServicer):
    """Rows of (time, name, value) by trial; `away` counts the calls it still answers as one without its database does."""

    rows: dict[str, list[tuple[datetime, str, str]]] = field(default_factory=dict)
    away: int = 0

    def ReportObservationLog(self, request, context):  # noqa: N802 (Katib's name)
        self._refuse(context)
        for log in request.observation_log.metric_logs:
            row = (datetime.fromisoformat(log.time_stamp).astimezone(UTC), log.metric.name, log.metric.value)
            self.rows.setdefault(request.trial_name, []).append(row)
        return api_pb2.ReportObservationLogReply()

    def GetObservationLog(self, request, context):  # noqa: N802 (Katib's name)
        self._refuse(context)
        logs = [
            # Katib writes as few digits of a second as there are.
            api_pb2.MetricLog(time_stamp=time.isoformat().replace("+00:00", "Z"), metric=api_pb2.Metric(name=name, value=value))
            for time, name, value in sorted(self.rows.get(request.trial_name, []), key=lambda row: row[0])
            if request.metric_name in ("", name)
        ]
        return api_pb2.GetObservationLogReply(observation_log=api_pb2.ObservationLog(metric_logs=logs))

    def latest(self, trial: str) -> dict[str, float]:
        """What Katib takes for the trial's result: of each metric the value with the greatest time."""
        return {name: float(value) for _, name, value in sorted(self.rows.get(trial, []))}

    def values(self, trial: str, metric: str) -> list[float]:
        """All values of a metric, by time."""
        return [float(value) for _, name, value in sorted(self.rows.get(trial, [])) if name == metric]

    def _refuse(self, context) -> None:
        if self.away > 0:
            self.away -= 1
            context.abort(grpc.StatusCode.UNKNOWN, "dial tcp: connection refused")


@contextmanager
def serve(manager: DBManager, port: int = 0) -> Iterator[str]:
    """Yield the address where the manager listens."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    api_pb2_grpc.add_DBManagerServicer_to_server(manager, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
