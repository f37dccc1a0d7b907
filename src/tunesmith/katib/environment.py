"""The names by which a trial's pod is told what to do: environment variables, since Katib mangles arguments."""

# base64url of the study's content as JSON, its space fitted to the data.
SPEC = "TUNESMITH_SPEC"
# What katib.candidate encodes, and where the search has a scheduler, the thresholds that schedulers.StopRule encodes.
CANDIDATE = "TUNESMITH_CANDIDATE"
STOP_RULE = "TUNESMITH_STOP_RULE"
# The number of the trial that the candidate was edited from, where the strategy edits; "none" where it was edited from none.
PARENT = "TUNESMITH_PARENT"
# The trial's name, which holds its number.
TRIAL = "TUNESMITH_TRIAL"
# Storage URIs: the study's folder, the prepared data set's folder, the folder of the user's function.
STUDY = "TUNESMITH_STUDY"
DATASET = "TUNESMITH_DATASET"
CODE = "TUNESMITH_CODE"
# host:port of Katib's database manager, and where it listens unless told otherwise.
DB_MANAGER = "KATIB_DB_MANAGER"
DEFAULT_DB_MANAGER = "katib-db-manager.kubeflow:6789"
# The namespace of the suggestion service's pod; it is found out where this is not set.
NAMESPACE = "TUNESMITH_NAMESPACE"
# Seconds that a strategy may take for an answer, however many proposals it has.
PROPOSE_SECONDS = "TUNESMITH_PROPOSE_SECONDS"
