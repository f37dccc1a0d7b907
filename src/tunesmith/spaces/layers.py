"""Plain networks of convolutions and dense layers: how many of each, and each layer's size and dropout, are searched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._architecture import ACTIVATIONS, OPTIMIZERS, Architecture, Convolution, Dense, build_network, size_of
from tunesmith.spaces._distributions import Choice, Distribution, Int, LogInt, LogUniform, Normal, Value
from tunesmith.spaces._settings import Rule, Setting, number, one_of, read_setting, truth, whole_rule
from tunesmith.spaces._space import Candidate, Chooser, Space
from tunesmith.spaces._training import Size, Training

Counts = tuple[int, int]
DEFAULT_CONVS: Counts = (3, 8)
DEFAULT_DENSE: Counts = (2, 5)
NO_CONVS: Counts = (0, 0)
MOST_LAYERS = 100
OF_SIZE = ("filters", "kernel")
OF_CONVS = (*OF_SIZE, "skips")
OF_NETWORK = ("activation", "batch_normalization", "optimizer", "learning_rate", "batch_size")


@dataclass(frozen=True)
class Layers(Space):
    """Convolutions (images only), then hidden dense layers, each `[fewest, most]` or one number.

    All other keys are a distribution (`{logint: [16, 64]}`) or one value, which is then not searched. `filters`, `kernel`,
    `units` and `dropout` are chosen for each layer, `activation`, `batch_normalization`, `optimizer`, `learning_rate` and
    `batch_size` once for the network. A key that is not given has a default; `convs` is none for a table. With `skips` each
    convolution also chooses which of the earlier ones it reads beside the one before it, as a sequence of decisions in which
    every layer is an anchor for those to come (Zoph & Le, 2017, section 3.3); what it reads is joined by channels.
    """

    convs: Any = None
    dense: Any = None
    filters: Any = None
    kernel: Any = None
    units: Any = None
    dropout: Any = None
    activation: Any = None
    batch_normalization: Any = None
    optimizer: Any = None
    learning_rate: Any = None
    batch_size: Any = None
    skips: bool = False

    def __post_init__(self) -> None:
        for name in ("convs", "dense"):
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else _read_counts(given, name))
        for name, rule in RULES.items():
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else read_setting(given, name, rule))

    def fit_to(self, data: DatasetInfo) -> "Layers":
        """Return the space without convolutions where `data` is a table; explicit ones are a SpecError."""
        if data.kind == "images":
            return replace(self, convs=self.convs or DEFAULT_CONVS)
        if self.convs not in (None, NO_CONVS):
            raise SpecError(f"convs: got {list(self.convs)}, but the data is a table; leave convs out, or give images")
        for name in OF_CONVS:
            if getattr(self, name):
                raise SpecError(f"{name}: belongs to convolutions, but the data is a table; leave {name} out, or give images")
        return replace(self, convs=NO_CONVS)

    def define(self, choose: Chooser) -> Architecture:
        """Choose the number of layers, then each layer, then the training."""
        convs = self._count(choose, "convs", self.convs or DEFAULT_CONVS)
        dense = self._count(choose, "dense", self.dense or DEFAULT_DENSE)
        return Architecture(
            tuple(
                Convolution(
                    *(self._value(choose, key, f"conv{number}.{key}") for key in (*OF_SIZE, "dropout")),
                    skips=self._skips(choose, number),
                )
                for number in range(1, convs + 1)
            ),
            tuple(
                Dense(*(self._value(choose, key, f"dense{number}.{key}") for key in ("units", "dropout")))
                for number in range(1, dense + 1)
            ),
            *(self._value(choose, key) for key in OF_NETWORK),
        )

    def _skips(self, choose: Chooser, number: int) -> tuple[int, ...]:
        """Choose which of the convolutions before the last one a convolution reads, too."""
        earlier = range(1, number - 1) if self.skips else ()
        return tuple(place for place in earlier if choose(f"conv{number}.skip{place}", Choice((False, True))))

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        return build_network(self.realize(candidate), info)

    def estimate(self, candidate: Candidate, info: DatasetInfo) -> Size:
        return size_of(self.realize(candidate), info)

    def to_json(self) -> dict[str, Any]:
        convs, dense = self.convs or DEFAULT_CONVS, self.dense or DEFAULT_DENSE
        form: dict[str, Any] = {"kind": "layers", "convs": list(convs), "dense": list(dense)}
        for name in RULES:
            if name in OF_CONVS and convs == NO_CONVS:
                continue
            setting = self._setting(name)
            form[name] = setting.to_json() if isinstance(setting, Distribution) else setting
        return form | ({"skips": True} if self.skips else {})

    def settled(self) -> dict[str, Value]:
        counts = {"convs": self.convs or DEFAULT_CONVS, "dense": self.dense or DEFAULT_DENSE}
        fixed = {name: setting for name in RULES if not isinstance(setting := self._setting(name), Distribution)}
        return fixed | {name: low for name, (low, high) in counts.items() if low == high}

    def _setting(self, name: str) -> Setting:
        given = getattr(self, name)
        return RULES[name].default if given is None else given

    def _value(self, choose: Chooser, key: str, name: str | None = None) -> Any:
        setting = self._setting(key)
        return choose(name or key, setting) if isinstance(setting, Distribution) else setting

    @staticmethod
    def _count(choose: Chooser, name: str, counts: Counts) -> int:
        return counts[0] if counts[0] == counts[1] else choose(name, Int(*counts))


RULES: dict[str, Rule] = {
    "filters": whole_rule(LogInt(16, 64), 4096),
    "kernel": whole_rule(3, 31),
    "units": whole_rule(LogInt(32, 256), 65536),
    "dropout": Rule(Normal(0.15, 0.1, clip=(0.0, 0.5)), number(0, 1), "numbers from 0 to below 1"),
    "activation": Rule(Choice(("relu", "elu", "silu")), one_of(ACTIVATIONS), ", ".join(ACTIVATIONS)),
    "batch_normalization": Rule(Choice((True, False)), truth, "true, false"),
    "optimizer": Rule(Choice(("adam", "rmsprop")), one_of(OPTIMIZERS), ", ".join(OPTIMIZERS)),
    "learning_rate": Rule(LogUniform(5e-4, 5e-3), number(1e-12, 1000), "numbers above 0"),
    "batch_size": whole_rule(Choice((32, 64, 128)), 2**20),
}


def _read_counts(given: Any, name: str) -> Counts:
    pair = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given, given]
    read = number(0, MOST_LAYERS + 1, whole=True)
    try:
        low, high = (int(read(count) or 0) for count in pair)
    except (TypeError, ValueError):
        low, high = 1, 0
    if low > high:
        raise SpecError(f"{name}: got {given!r}; needs [fewest, most] or one whole number, from 0 to {MOST_LAYERS}")
    return low, high
