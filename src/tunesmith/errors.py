"""The errors of Tunesmith, all under one root, so that callers can tell a user's mistake from a bad candidate."""


class TunesmithError(Exception):
    """Root of all errors that Tunesmith raises on purpose; anything else is a bug."""


class SpecError(TunesmithError):
    """The user's mistake: the message says what was given, where, and what is allowed."""


class DataError(SpecError):
    """A data set that cannot be used as it is."""


class StudyError(TunesmithError):
    """A study folder that cannot be used: another spec, a newer version, a full disk, a search in progress."""


class ClusterError(TunesmithError):
    """A cluster that refuses or does not answer; the message says what was tried and what helps."""


class StorageError(TunesmithError):
    """A place for data and models that cannot be read or written; the message says which, and what helps."""


class RegistryError(TunesmithError):
    """A registry of models that cannot be used, or a promotion that another one has overtaken."""


class GateFailed(TunesmithError):
    """A trained model that misses the quality asked of it."""


class StepFailed(TunesmithError):
    """A pipeline's step that crashed: no mistake of the user's, the message says where its log is."""


class ExportError(TunesmithError):
    """An exported model that cannot be made, or that does not answer as the Keras model does."""


class SpaceExhausted(TunesmithError):
    """Every candidate of a finite search space has been proposed."""


class Hopeless(TunesmithError):
    """A search in which nothing ever worked, for a reason that no candidate can mend."""


class TrialFailed(TunesmithError):
    """A bad candidate: recorded with its reason, never retried."""


class TrialStopped(TunesmithError):
    """Raised inside a trial when the scheduler ends it early; `metrics` are those it has reached, and count."""

    def __init__(self, reason: str, metrics: dict[str, float] | None = None) -> None:
        super().__init__(reason)
        self.metrics = metrics or {}
