"""Serves the suggestion service as Katib expects it: `python -m tunesmith.katib.server`, on port 6789 with a health check."""

import signal
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tunesmith.katib import api_pb2_grpc
from tunesmith.katib.suggestion import SuggestionService

# The name that Katib's probes ask for; it is not that of the service in the interface's definition.
PROBED = "manager.v1beta1.Suggestion"
PORT = 6789
GRACE = 10.0


def make_server(address: str = f"[::]:{PORT}") -> tuple[grpc.Server, int]:
    """Return a server, not yet started, and its port (one of its own choosing where `address` ends with `:0`)."""
    # A request carries all trials, which outgrow gRPC's 4 MiB.
    server = grpc.server(ThreadPoolExecutor(max_workers=2), options=[("grpc.max_receive_message_length", -1)])
    api_pb2_grpc.add_SuggestionServicer_to_server(SuggestionService(), server)
    probes = health.HealthServicer()
    probes.set(PROBED, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(probes, server)
    return server, server.add_insecure_port(address)


def main() -> None:
    """Serve until SIGTERM; answers under way are finished."""
    server, _ = make_server()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(GRACE))
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
