"""Serves the suggestion service as Katib expects it: `python -m tunesmith.katib.server`, on port 6789 with a health check.

Katib's first probe decides when an experiment may begin, and strategies need libraries that take longer to import than gRPC:
so the port listens first, and a call that comes before the imports are done waits for them.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tunesmith.errors import TunesmithError
from tunesmith.katib import api_pb2, api_pb2_grpc

if TYPE_CHECKING:
    from tunesmith.katib.suggestion import SuggestionService

# The name that Katib's probes ask for; it is not that of the service in the interface's definition.
PROBED = "manager.v1beta1.Suggestion"
PORT = 6789
METRICS_PORT = 8080
GRACE = 10.0
# Calls come one by one; the rest is for probes.
THREADS = 4
USER_MISTAKE = 2


class Deferred(api_pb2_grpc.SuggestionServicer):
    """The suggestion service, imported when it is first needed."""

    def __init__(self) -> None:
        self._service: SuggestionService | None = None
        self._lock = threading.Lock()

    def load(self) -> "SuggestionService":
        """Return the service itself."""
        from tunesmith.katib.suggestion import SuggestionService

        with self._lock:
            self._service = self._service or SuggestionService()
            return self._service

    def GetSuggestions(  # noqa: N802 (Katib's name)
        self, request: api_pb2.GetSuggestionsRequest, context: grpc.ServicerContext
    ) -> api_pb2.GetSuggestionsReply:
        return self.load().GetSuggestions(request, context)

    def ValidateAlgorithmSettings(  # noqa: N802 (Katib's name)
        self, request: api_pb2.ValidateAlgorithmSettingsRequest, context: grpc.ServicerContext
    ) -> api_pb2.ValidateAlgorithmSettingsReply:
        return self.load().ValidateAlgorithmSettings(request, context)


def make_server(address: str, service: Deferred | None = None) -> tuple[grpc.Server, int]:
    """Return a server, not yet started, and its port (one of its own choosing where `address` ends with `:0`)."""
    # A request carries all trials, which outgrow gRPC's 4 MiB.
    server = grpc.server(ThreadPoolExecutor(max_workers=THREADS), options=[("grpc.max_receive_message_length", -1)])
    api_pb2_grpc.add_SuggestionServicer_to_server(service or Deferred(), server)
    probes = health.HealthServicer()
    probes.set(PROBED, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(probes, server)
    return server, server.add_insecure_port(address)


def main() -> None:
    """Serve until SIGTERM; answers under way are finished."""
    options = argparse.ArgumentParser(description="Answer Katib's suggestion requests with Tunesmith's strategies.")
    options.add_argument("--port", type=int, default=PORT, help="of the service (0: any)")
    options.add_argument("--metrics-port", type=int, default=METRICS_PORT, help="of Prometheus' metrics (0: any)")
    given = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # A pod has a share of one core; more threads than that only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    service = Deferred()
    server, port = make_server(f"[::]:{given.port}", service)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(GRACE))
    server.start()
    logging.info("listening on port %s", port)
    # Whatever keeps the service from being made ends the process, for all to see.
    try:
        service.load()
    except TunesmithError as error:
        logging.error("%s", error)
        sys.exit(USER_MISTAKE)
    _serve_metrics(given.metrics_port)
    server.wait_for_termination()


def _serve_metrics(port: int) -> None:
    from prometheus_client import start_http_server

    made, _ = start_http_server(port)
    logging.info("metrics on port %s", made.server_port)


if __name__ == "__main__":
    main()
