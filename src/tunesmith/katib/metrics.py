"""What the suggestion service tells Prometheus, by algorithm."""

from prometheus_client import Counter, Histogram

CALLS = Counter("tunesmith_suggestion_calls", "Calls answered or refused.", ["algorithm", "method"])
SECONDS = Histogram(
    "tunesmith_suggestion_seconds",
    "Seconds that a call took.",
    ["algorithm", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ERRORS = Counter("tunesmith_suggestion_errors", "Calls refused, by gRPC's status.", ["algorithm", "status"])
FALLBACKS = Counter("tunesmith_suggestion_fallbacks", "Proposals that are not the strategy's.", ["algorithm"])
