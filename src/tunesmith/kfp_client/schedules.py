"""Recurring runs: one of a name, which a second call replaces."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import ClusterError, SpecError
from tunesmith.kfp_client.connection import Backend, quiet, told
from tunesmith.kfp_client.cron import read_cron, read_duration
from tunesmith.kfp_client.submission import Order, experiment_id

ENABLED = "ENABLE"
PAGE = 100
# Begins the description of a schedule; what follows tells whether it is still what is asked for.
MADE = "Made by tunesmith pipeline schedule; content "


@dataclass(frozen=True)
class Trigger:
    """When a schedule fires: a cron expression of six fields, or every so many seconds; the other is empty."""

    cron: str = ""
    seconds: int = 0

    @classmethod
    def read(cls, cron: str | None, every: str | None) -> "Trigger":
        """Read what the user gave; raises SpecError unless it is exactly one of the two."""
        if bool(cron) == bool(every):
            raise SpecError("schedule: needs either --cron, such as '0 3 * * 1', or --every, such as 7d")
        return cls(cron=read_cron(cron)) if cron else cls(seconds=read_duration(every or "", "every"))

    def __str__(self) -> str:
        return f"cron {self.cron}" if self.cron else f"every {self.seconds} s"


@dataclass(frozen=True)
class Schedule:
    """A recurring run as the backend has it."""

    schedule_id: str
    name: str
    trigger: str
    enabled: bool
    created: str
    description: str


def list_schedules(backend: Backend, name: str = "") -> list[Schedule]:
    """Return all recurring runs, newest first, or those of one name."""
    predicates = {"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]}
    chosen = {"filter": json.dumps(predicates)} if name else {}
    found: list[Any] = []
    page = ""
    with quiet(), told(backend.address.host, "list schedules"):
        while True:
            answer = backend.client.list_recurring_runs(
                page_token=page,
                page_size=PAGE,
                sort_by="created_at desc",
                namespace=backend.namespace or None,
                **chosen,
            )
            found += answer.recurring_runs or []
            page = answer.next_page_token or ""
            if not page:
                return [_schedule(item) for item in found]


def schedule(backend: Backend, order: Order, name: str, trigger: Trigger) -> tuple[Schedule, bool]:
    """Make the recurring run `name` what is asked for; returns it, and whether anything had to be changed.

    At most one run at a time, and none for times that were missed. The backend itself allows two of a name, and cannot change
    one: so the others are switched off, the new one is made, and the others are deleted.
    """
    with order.compiled() as package:
        described = MADE + _digest(order, trigger, Path(package).read_bytes())
        others = list_schedules(backend, name)
        same = [item for item in others if item.description == described and item.enabled]
        if same:
            _delete(backend, [item for item in others if item != same[0]])
            return same[0], False
        made = _replace(backend, others, lambda: _create(backend, order, name, trigger, package, described))
    # Of two calls at once both see both here, and keep the same one.
    _delete(backend, list_schedules(backend, name)[1:])
    return made, True


def unschedule(backend: Backend, name: str) -> int:
    """Delete the recurring runs of a name; returns how many there were. Raises ClusterError where there is none."""
    found = list_schedules(backend, name)
    if not found:
        known = ", ".join(sorted({item.name for item in list_schedules(backend)})) or "none"
        raise ClusterError(f"{backend.address.host}: has no schedule {name!r}; there are: {known}")
    _delete(backend, found)
    return len(found)


def _replace(backend: Backend, others: list[Schedule], create: Any) -> Schedule:
    """Make a new one with the others switched off; where that fails, they are switched on again."""
    running = [item for item in others if item.enabled]
    for item in running:
        _switch(backend, item, on=False)
    try:
        made = create()
    except BaseException:
        for item in running:
            _switch(backend, item, on=True)
        raise
    _delete(backend, others)
    return made


def _create(backend: Backend, order: Order, name: str, trigger: Trigger, package: str, described: str) -> Schedule:
    experiment = experiment_id(backend, order.experiment)
    with quiet(), told(backend.address.host, f"make the schedule {name!r}"):
        made = backend.client.create_recurring_run(
            experiment_id=experiment,
            job_name=name,
            description=described,
            cron_expression=trigger.cron or None,
            interval_second=trigger.seconds or None,
            max_concurrency=1,
            no_catchup=True,
            **order.options(package),
        )
    return _schedule(made)


def _switch(backend: Backend, item: Schedule, on: bool) -> None:
    with quiet(), told(backend.address.host, f"switch the schedule {item.name!r} {'on' if on else 'off'}"):
        change = backend.client.enable_recurring_run if on else backend.client.disable_recurring_run
        change(item.schedule_id)


def _delete(backend: Backend, items: list[Schedule]) -> None:
    for item in items:
        with quiet(), told(backend.address.host, f"delete the schedule {item.name!r}"):
            backend.delete_schedule(item.schedule_id)


def _digest(order: Order, trigger: Trigger, package: bytes) -> str:
    rest = [order.arguments, order.experiment, order.caching, order.service_account, str(trigger)]
    return hashlib.sha256(package + json.dumps(rest, sort_keys=True).encode()).hexdigest()[:16]


def _schedule(item: Any) -> Schedule:
    cron = item.trigger.cron_schedule if item.trigger else None
    periodic = item.trigger.periodic_schedule if item.trigger else None
    trigger = Trigger(cron=cron.cron) if cron else Trigger(seconds=int(periodic.interval_second) if periodic else 0)
    return Schedule(
        schedule_id=str(item.recurring_run_id),
        name=str(item.display_name),
        trigger=str(trigger),
        enabled=item.status == "ENABLED" or item.mode == ENABLED,
        created=item.created_at.isoformat(timespec="seconds") if item.created_at else "",
        description=str(item.description or ""),
    )
