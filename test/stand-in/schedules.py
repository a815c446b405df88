"""Rules and schedules with a rate, a time or a cron expression, which moto keeps and never fires."""

import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Iterator
from zoneinfo import ZoneInfo

from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

import settings
from event_delivery import send
from settings import now, scaled

_TICK = 0.2
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_NAMES = {name: str(index + 1) for names in ("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", "SUN MON TUE WED THU FRI SAT") for index, name in enumerate(names.split())}


@dataclass
class _Due:
    key: str
    region: str
    expression: str
    zone: str
    targets: list[dict[str, Any]]
    arn: str
    event: dict[str, Any]


def start() -> None:
    threading.Thread(target=_run, daemon=True, name="schedules").start()


def _run() -> None:
    #: When each was last fired, or first seen.
    last: dict[str, float] = {}
    while True:
        for due in list(_enabled()):
            key = f"{due.key} {due.expression}"
            if key not in last:
                last[key] = time.time()
            elif is_due(due.expression, due.zone, last[key], time.time()):
                last[key] = time.time()
                for target in due.targets:
                    send(due.region, target, due.event, due.arn)
        time.sleep(_TICK)


def is_due(expression: str, zone: str, last: float, moment: float) -> bool:
    kind, argument = re.fullmatch(r"(rate|cron|at)\((.*)\)", expression.strip()).groups()  # type: ignore[union-attr]
    if kind == "rate":
        count, unit = argument.split()
        return moment - last >= scaled(int(count) * _SECONDS[unit.rstrip("s")])
    zone_info = ZoneInfo(zone or "UTC")
    if kind == "at":
        wanted = datetime.fromisoformat(argument).replace(tzinfo=zone_info).timestamp()
        return last < wanted <= moment
    this_minute = datetime.fromtimestamp(moment, zone_info).replace(second=0, microsecond=0)
    return last < this_minute.timestamp() and matches(argument, this_minute)


def matches(cron: str, moment: datetime) -> bool:
    minute, hour, day, month, weekday, *year = cron.split()
    # AWS counts the days of the week from Sunday, 1.
    values = (moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7 + 1, moment.year)
    return all(_field(field, value, moment) for field, value in zip((minute, hour, day, month, weekday, *(year or ["*"])), values))


def _field(field: str, value: int, moment: datetime) -> bool:
    if field == "L":
        return (moment + timedelta(days=1)).day == 1
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        first, _, final = "-".join(_NAMES.get(item, item) for item in span.split("-")).partition("-")
        if first in ("*", "?"):
            if not step or value % int(step) == 0:
                return True
        elif step:
            if value >= int(first) and (not final or value <= int(final)) and (value - int(first)) % int(step) == 0:
                return True
        elif int(first) <= value <= int(final or first):
            return True
    return False


def _enabled() -> Iterator[_Due]:
    for region, events in list(events_backends[settings.ACCOUNT].items()):
        for rule in list(events.describe_event_bus("default").rules.values()):
            if rule.scheduled_expression and rule.state == "ENABLED":
                event = {"version": "0", "id": settings.random_id(32), "detail-type": "Scheduled Event", "source": "aws.events", "account": settings.ACCOUNT}
                event |= {"time": now().strftime("%Y-%m-%dT%H:%M:%SZ"), "region": region, "resources": [rule.arn], "detail": {}}
                yield _Due(rule.arn, region, rule.scheduled_expression, "UTC", rule.targets, rule.arn, event)
    for region, scheduler in list(scheduler_backends[settings.ACCOUNT].items()):
        for group in list(scheduler.schedule_groups.values()):
            for schedule in list(group.schedules.values()):
                if schedule.state == "ENABLED":
                    event = {"version": "0", "id": settings.random_id(32), "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": settings.ACCOUNT}
                    event |= {"time": now().strftime("%Y-%m-%dT%H:%M:%SZ"), "region": region, "resources": [schedule.arn], "detail": "{}"}
                    yield _Due(schedule.arn, region, schedule.schedule_expression, schedule.schedule_expression_timezone, [schedule.target], schedule.arn, event)
