"""The models that were put to use, at a storage URI: which one is the champion now, and all that were before.

    promotions/000001.json   one file a promotion, never changed; the last one names the champion
    models/<version>/        model/  study/  evaluation.json  exports/  and, written last, version.json
    champion.json            the last promotion again, for whoever serves the model

A promotion's file is created only where there is none of its number, so that of two runs at once one is refused.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunesmith import storage
from tunesmith.errors import RegistryError

CHAMPION = "champion.json"
COMPLETE = "version.json"
# Of a study only what a later search starts from: no models, logs and databases.
STUDY_FILES = ("spec.yaml", "trials/*/candidate.json", "trials/*/outcome.json")


@dataclass(frozen=True)
class Promotion:
    """One entry of the history: `version` became the champion in place of `previous` ('' for the first).

    `figures` are those on the test split at that time; `at` is a UTC time.
    """

    number: int
    version: str
    previous: str
    reason: str
    at: str
    figures: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Champions:
    """The registry at a storage URI or path, which need not exist yet."""

    uri: str

    def history(self) -> list[Promotion]:
        """Return all promotions, oldest first."""
        return [self._promotion(name) for name in self._entries()]

    def champion(self) -> Promotion | None:
        """Return the promotion of the model in use, None where there is none yet."""
        names = self._entries()
        return self._promotion(names[-1]) if names else None

    def place(self, version: str) -> str:
        """Return the URI of a version's folder."""
        return storage.join(self.uri, "models", version)

    def fetch(self, version: str, folder: Path) -> None:
        """Copy a version's model and study into `folder`; raises RegistryError where the version is not whole."""
        self._refuse_incomplete(version)
        for part in ("model", "study"):
            source = storage.join(self.place(version), part)
            if storage.exists(source):
                storage.download(source, folder / part)

    def promote(self, parts: Mapping[str, Path], figures: Mapping[str, float], against: str, reason: str) -> Promotion:
        """Put a model to use; `parts` are the folders model, study, evaluation and exports, of which only model must be there.

        `against`: the version it was found better than, '' for none. Raises RegistryError where another became the champion
        since. A call that was interrupted may be repeated: it goes on where it was.
        """
        version = version_of(parts["model"])
        current = self.champion()
        if current and current.version == version:
            return self._show(current)
        in_use = current.version if current else ""
        if in_use != against:
            raise RegistryError(
                f"{self.uri}: the champion is {in_use or 'none'} by now, not {against or 'none'}, which the model was compared "
                "with; run the pipeline again to compare with the new one"
            )
        self._store(version, parts, figures)
        return self._append(version, in_use, reason, figures, current.number + 1 if current else 1)

    def roll_back(self, version: str = "") -> Promotion:
        """Put an earlier version to use again, without a `version` the one before the present; it is a promotion like others.

        Raises RegistryError where there is no such version, or not all of it any more.
        """
        history = self.history()
        if not history:
            raise RegistryError(f"{self.uri}: there is no champion yet, and nothing to go back to")
        current = history[-1]
        wanted = version or current.previous
        known = list(dict.fromkeys(promotion.version for promotion in history))
        if wanted not in known or wanted == current.version:
            others = ", ".join(name for name in known if name != current.version) or "none"
            raise RegistryError(f"{self.uri}: cannot go back to {wanted or 'a version before the first'!r}; allowed: {others}")
        self._refuse_incomplete(wanted)
        figures = next(promotion.figures for promotion in reversed(history) if promotion.version == wanted)
        return self._append(wanted, current.version, f"rolled back from {current.version}", figures, current.number + 1)

    def _refuse_incomplete(self, version: str) -> None:
        if not storage.exists(storage.join(self.place(version), COMPLETE)):
            raise RegistryError(f"{self.place(version)}: is no complete version of a model (it has no {COMPLETE})")

    def _entries(self) -> list[str]:
        return sorted(name for name in storage.names(storage.join(self.uri, "promotions")) if name.endswith(".json"))

    def _promotion(self, name: str) -> Promotion:
        uri = storage.join(self.uri, "promotions", name)
        try:
            return Promotion(**json.loads(storage.read_text(uri)))
        except (ValueError, TypeError) as error:
            raise RegistryError(f"{uri}: is no promotion of a model ({error})") from None

    def _store(self, version: str, parts: Mapping[str, Path], figures: Mapping[str, float]) -> None:
        place = self.place(version)
        if storage.exists(storage.join(place, COMPLETE)):
            return
        for part, folder in parts.items():
            if part == "study":
                _upload_study(folder, storage.join(place, part))
            else:
                storage.upload(folder, storage.join(place, part))
        storage.write_text(storage.join(place, COMPLETE), _text({"version": version, "made": _now(), "figures": dict(figures)}))

    def _append(self, version: str, previous: str, reason: str, figures: Mapping[str, float], number: int) -> Promotion:
        entry = Promotion(number, version, previous, reason, _now(), dict(figures))
        uri = storage.join(self.uri, "promotions", f"{number:06d}.json")
        if not storage.create_text(uri, _text(entry.to_json())):
            winner = self._promotion(f"{number:06d}.json").version
            raise RegistryError(f"{self.uri}: {winner} became the champion a moment before {version}; run the pipeline again")
        return self._show(entry)

    def _show(self, entry: Promotion) -> Promotion:
        """Write champion.json; of two that write at once the later promotion's stays."""
        storage.write_text(storage.join(self.uri, CHAMPION), _text(entry.to_json()))
        last = self.champion()
        if last and last.number > entry.number:
            self._show(last)
        return entry


def parts_of_run(folder: Path) -> dict[str, Path]:
    """Return the parts of a version that a run's folder holds; raises RegistryError where it has no model."""
    parts = {name: folder / name for name in ("model", "study", "evaluation", "exports") if (folder / name).is_dir()}
    if "model" not in parts:
        raise RegistryError(f"{folder}: holds no trained model (no folder 'model'); give the folder of a run that has ended")
    return parts


def version_of(model: Path) -> str:
    """Return the name of a model's version: the beginning of its files' SHA-256."""
    digest = hashlib.sha256()
    for path in sorted(path for path in model.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(model)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _upload_study(study: Path, uri: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        light = Path(temporary) / "study"
        for path in (path for pattern in STUDY_FILES for path in study.glob(pattern)):
            target = light / path.relative_to(study)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        storage.upload(light, uri)


def _text(content: Any) -> str:
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
