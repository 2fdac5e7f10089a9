"""Pushing: from a task of the push queue to the phones of an audience."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, wait
from functools import cache

from aws_lambda_powertools import Logger
from pydantic_core import from_json

from vitrina import (
    aws,
    config,
    device_rows,
    devices,
    digests,
    endpoints,
    history,
    metrics,
    notices,
    push_tasks,
    subscriptions,
    tasks,
)
from vitrina.channels import PUSH, ClientType, Mode
from vitrina.device_rows import Device
from vitrina.digests import Owed, RowKey
from vitrina.notices import Entry, Notice
from vitrina.partitions import Partition
from vitrina.push_tasks import Due, Push, PushAgain, PushTask, Walk

logger = Logger()

# After this a worker continues in another task, so that a crash repeats little.
MAX_WORK_SECONDS = 5
PAGE_ROWS = 500
# The rate is kept by a pause after each step. The next step does not wait for the calls of the
# last: otherwise one slow response would delay a whole step.
STEP_INTERVAL_SECONDS = 0.1
# At most this much is made up for after a pause, such as between two pages.
MAX_CATCH_UP_SECONDS = 0.5


def work(task: PushTask) -> None:
    """Do a task. It may be done twice: a repeated push has the same id, and replaces the first.

    Raises what SNS or DynamoDB refuse for good, and tasks.QueueRefused.
    """
    match task:
        case Push(audience=audience, entries=entries):
            _push(audience, entries)
        case Walk(notice=notice, partition=partition, cursor=cursor):
            _walk(notice, partition, cursor)
        case PushAgain(notice=notice, keys=keys, attempt=attempt):
            _deliver(notice, _without_connection(device_rows.find(keys)), attempt)
        case Due(keys=keys):
            _send_due(keys)


def wake_due(until: float) -> int:
    """Queue tasks for rows that are due now; return the number of rows.

    Stops at `until`, a value of `time.monotonic`; the next sweep continues.
    """
    count = 0
    if not endpoints.is_on():
        return count
    for keys in digests.due():
        push_tasks.put([Due(keys=keys)])
        count += len(keys)
        if time.monotonic() >= until:
            break
    return count


def _push(audience: str, entries: Sequence[Entry]) -> None:
    scope, is_identity, _ = audience.partition(":")
    if is_identity:
        if notice := _notice_of(entries):
            [partition] = device_rows.partitions_of(audience)
            _walk(notice, partition, None)
        return
    client_type = ClientType(scope)
    if as_digest := [entry for entry in entries if _allows(entry, audience, Mode.DIGEST)]:
        digests.owe(digests.key_of(client_type), as_digest)
    at_once = [entry for entry in entries if _allows(entry, audience, Mode.PUSH)]
    if at_once and (notice := _notice_of(at_once)):
        shown = notices.show(notice, client_type, notices.LANGUAGES[0])
        endpoints.publish_to_all(client_type, shown)
        push_tasks.put(
            Walk(notice=notice, partition=each) for each in device_rows.partitions_of(audience)
        )


def _allows(entry: Entry, audience: str, mode: Mode) -> bool:
    return any(mode in each.modes for each in PUSH[entry.event] if each.to in (audience, "{to}"))


def _notice_of(entries: Sequence[Entry]) -> Notice | None:
    """Read what a push says; None when the only event of it has expired."""
    latest = max(entries, key=lambda entry: entry.seq)
    found = next(history.get([(latest.channel, latest.seq)]), None)
    if found is None:
        metrics.emit(ExpiredTasks=1)
        return None
    data = from_json(found["body"])["data"]
    details = notices.details_of(data) if len(entries) == 1 else {}
    return Notice(found["event_id"], tuple(entries), details)


def _walk(notice: Notice, partition: Partition, cursor: str | None) -> None:
    """Notify the devices of a partition, page by page; another task goes on after a while."""
    is_of_identity = bool(partition.prefix)
    # Devices in the topic have received an announcement already.
    is_of_topic = notice.mode is Mode.PUSH and not is_of_identity
    where = "attribute_not_exists(subscription)" if is_of_topic else ""
    deadline = time.monotonic() + MAX_WORK_SECONDS
    while True:
        found, cursor = device_rows.page(partition, cursor, PAGE_ROWS, where)
        found = _without_connection(found)
        if is_of_identity:
            _owe([(each, _of_mode(notice, each, Mode.DIGEST), None) for each in found])
        _deliver(notice, found)
        if cursor is None:
            return
        if time.monotonic() >= deadline:
            push_tasks.put([Walk(notice=notice, partition=partition, cursor=cursor)])
            return


def _without_connection(found: Sequence[Device]) -> list[Device]:
    """Return the devices whose session has no open connection; connections get the event."""
    if not found:
        return []
    identities = [device.identity for device in found]
    connected = subscriptions.sessions_between(
        found[0].client_type, min(identities), max(identities)
    )
    return [device for device in found if device.session_id not in connected]


def _deliver(notice: Notice, found: Sequence[Device], attempt: int = 0) -> None:
    """Notify devices by their account's modes; in quiet hours the events are stored for later."""
    now = time.time()
    wanted = [(device, _of_mode(notice, device, notice.mode)) for device in found]
    quiet = [(device, entries, device.quiet_until(now)) for device, entries in wanted]
    _owe([owing for owing in quiet if owing[2]])
    ready = [(device, notice.of(entries)) for device, entries, until in quiet if not until]
    ready = [each for each in ready if each[1].entries]
    failed = _publish(ready)
    if ready:
        logger.info("pushed", push_id=notice.id, devices=len(ready), again=len(failed))
    if not failed:
        return
    if attempt == push_tasks.MAX_ATTEMPT:
        raise TimeoutError(f"SNS has not taken a push for {len(failed)} devices.")
    for some in tasks.chunks([device.key for device in failed], push_tasks.KEYS_PER_TASK):
        again = PushAgain(notice=notice, keys=[*some], attempt=attempt + 1)
        push_tasks.put([again], attempt + 1)


def _of_mode(notice: Notice, device: Device, mode: Mode) -> list[Entry]:
    return [entry for entry in notice.entries if device.mode(entry.event) is mode]


def _owe(owing: Iterable[tuple[Device, list[Entry], int | None]]) -> None:
    some = [(device.key, entries, until) for device, entries, until in owing if entries]
    aws.in_parallel(lambda each: digests.owe(*each), some)


def _publish(ready: Sequence[tuple[Device, Notice]]) -> list[Device]:
    """Publish to devices at this worker's rate; return the devices that SNS refused for now.

    Devices whose endpoint is disabled are removed. Raises defects that an operator has to fix.
    """
    per_second = config.current().pushes_per_second / push_tasks.WORKERS
    step = max(1, int(per_second * STEP_INTERVAL_SECONDS))
    sent: list[Future[bool]] = []
    for some in tasks.chunks(ready, step):
        sent += [aws.begin(_publish_one, *one) for one in some]
        _pace().wait(len(some) / per_second)
    wait(sent)
    failed = [device for (device, _), one in zip(ready, sent, strict=True) if not one.result()]
    if ready:
        metrics.emit(Pushed=len(ready) - len(failed), PushesFailed=len(failed))
    return failed


class Pace:
    """When the next push of this process is due."""

    def __init__(self) -> None:
        self._due = 0.0

    def wait(self, seconds: float) -> None:
        """Wait until the last push and these pushes have taken this time."""
        self._due = max(self._due, time.monotonic() - MAX_CATCH_UP_SECONDS) + seconds
        time.sleep(max(0.0, self._due - time.monotonic()))


@cache
def _pace() -> Pace:
    return Pace()


def forget() -> None:
    """Forget earlier pushes."""
    _pace.cache_clear()


def _publish_one(device: Device, notice: Notice) -> bool:
    shown = notices.show(notice, device.client_type, device.language)
    try:
        if not endpoints.publish(device.endpoint, shown):
            devices.remove(device)
    except aws.FAILURES as failure:
        if endpoints.is_defect(failure):
            raise
        return False
    return True


def _send_due(keys: Sequence[RowKey]) -> None:
    """Send the events of rows that are due."""
    by_kind: dict[str, list[RowKey]] = {}
    for key in keys:
        by_kind.setdefault(key.partition.partition("#")[0], []).append(key)
    aws.in_parallel(devices.expire, by_kind.pop("endpoint", []))
    for key in by_kind.pop("digest", []):
        _send_type_digest(key)
    _send_due_to_devices([key for of_type in by_kind.values() for key in of_type])


def _send_type_digest(key: RowKey) -> None:
    """Begin a walk over the devices of a type that take digests."""
    owed = digests.read(key)
    if owed is None:
        return
    notice = Notice(owed.id_of(key), owed.in_order, mode=Mode.DIGEST)
    scope = key.partition.rpartition("#")[2]
    push_tasks.put(Walk(notice=notice, partition=each) for each in device_rows.partitions_of(scope))
    digests.settle(key, owed)


def _send_due_to_devices(keys: Sequence[RowKey]) -> None:
    """Push the events that are due; those that SNS refuses stay due, for the next sweep."""
    now = time.time()
    owing = [(device, device.owed) for device in device_rows.find(keys) if device.owed]
    quiet = [(device, until) for device, _ in owing if (until := device.quiet_until(now))]
    aws.in_parallel(lambda each: digests.postpone(each[0].key, each[1]), quiet)
    postponed = {device.key for device, _ in quiet}
    awake = [each for each in owing if each[0].key not in postponed]
    shown = aws.in_parallel(lambda each: _notice_of_owed(*each), awake)
    ready = [(device, notice) for (device, _), notice in zip(awake, shown, strict=True) if notice]
    failed = {device.key for device in _publish(ready)}
    settled = [each for each in awake if each[0].key not in failed]
    aws.in_parallel(lambda each: digests.settle(each[0].key, each[1]), settled)


def _notice_of_owed(device: Device, owed: Owed) -> Notice | None:
    """Return the notice for a device; None if it has a connection, or its account turned it off."""
    wanted = [e for e in owed.in_order if device.mode(e.event) is not Mode.OFF]
    if not wanted or not _without_connection([device]):
        return None
    # A single event is shown with its details, if it has not expired.
    single = _notice_of(wanted) if len(wanted) == 1 else None
    return single or Notice(owed.id_of(device.key), tuple(wanted))
