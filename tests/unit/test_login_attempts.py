"""Who may try a password: an hour of attacks by a simulated clock, over a table in memory."""

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness import deployment
from vitrina import aws, keys, login_attempts, metrics
from vitrina.errors import TooManyRequests
from vitrina.keys import Secret

HOUR = 3600
OWNER = "owner@example.com"
EVIL = "198.51.100.66"


class ConditionFailed(Exception):
    def __init__(self, row: Mapping[str, Any]) -> None:
        self.response = {"Item": aws.to_item(row)} if row else {}


class Table:
    """The platform table in memory, as far as attempts use it."""

    class exceptions:  # noqa: N801 - as botocore names it
        ConditionalCheckFailedException = ConditionFailed

    CONDITIONS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], bool]] = {
        "(attribute_not_exists(tat) OR tat < :now)": lambda row, values: (
            "tat" not in row or row["tat"] < values[":now"]
        ),
        "tat BETWEEN :now AND :latest": lambda row, values: (
            "tat" in row and values[":now"] <= row["tat"] <= values[":latest"]
        ),
        "attribute_exists(tat)": lambda row, _values: "tat" in row,
    }

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.writes = 0
        self._lock = threading.Lock()

    def update_item(self, **request: Any) -> Any:
        [name] = request["Key"]["name"].values()
        values = aws.from_item(request["ExpressionAttributeValues"])
        with self._lock:
            self.writes += 1
            row = self.rows.get(name, {})
            if not self.CONDITIONS[request["ConditionExpression"]](row, values):
                raise ConditionFailed(row)
            self.rows[name] = row = {"name": name, **row}
            for change in request["UpdateExpression"].removeprefix("SET ").split(", "):
                attribute, _, new = change.partition(" = ")
                first, *rest = new.split()
                result = row[first] if first in row else values[first]
                for operator, operand in zip(rest[::2], rest[1::2], strict=True):
                    result += values[operand] * (1 if operator == "+" else -1)
                row[attribute] = result
            return {"Attributes": aws.to_item(row)}

    def put_item(self, **request: Any) -> None:
        row = aws.from_item(request["Item"])
        self.writes += 1
        self.rows[row["name"]] = row

    def delete_item(self, **request: Any) -> None:
        self.writes += 1
        self.rows.pop(request["Key"]["name"]["S"], None)

    def batch_get_item(self, **request: Any) -> Any:
        [(table, wanted)] = request["RequestItems"].items()
        names = [key["name"]["S"] for key in wanted["Keys"]]
        found = [aws.to_item(self.rows[name]) for name in names if name in self.rows]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    deployment.configure(monkeypatch)
    table = Table()
    monkeypatch.setattr(aws, "dynamodb", lambda: table)
    use_key(monkeypatch, "k" * 64)
    monkeypatch.setattr(metrics, "emit", lambda **values: emitted.update(values))
    emitted.clear()
    return table


emitted: Counter[str] = Counter()


def use_key(patch: pytest.MonkeyPatch, key: str) -> None:
    patch.setattr(keys, "signing", lambda: Secret("1", key, 0.0))


class Clock:
    def __init__(self) -> None:
        self.began = self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    @property
    def seconds(self) -> float:
        return self.now - self.began


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


Log = Counter[tuple[str, int]]
"""How often each of those who log in was answered with which status."""


class World:
    """Logins as `functions/login` has them: begin, try the password, count it or give it back."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.log: Log = Counter()
        self.devices: dict[str, str] = {}

    def login(
        self, who: str, email: str, source: str, *, right: bool, device: str | None = None
    ) -> float:
        """Return how long to wait before the next try, 0 if the password was tried."""
        try:
            attempt = login_attempts.begin(email, source, device)
        except TooManyRequests as refused:
            self.log[who, 429] += 1
            return float(refused.headers["Retry-After"])
        if right:
            self.devices[email] = login_attempts.succeeded(attempt)
        else:
            login_attempts.failed(attempt)
        self.log[who, 200 if right else 401] += 1
        return 0

    def run(self, *everyone: Iterator[float], seconds: float = HOUR) -> None:
        """Resume each in turn when it is due; each yields the time of its next try."""
        waiting = [(0.0, number, one) for number, one in enumerate(everyone)]
        while waiting:
            due, number, one = heapq.heappop(waiting)
            if due >= seconds:
                return
            self.clock.now = self.clock.began + due
            if (next_due := next(one, None)) is not None:
                heapq.heappush(waiting, (next_due, number, one))

    def guess(self, email: str, source: str, every: float = 1.0) -> Iterator[float]:
        """Try a wrong password at each interval; skip those that would only be refused."""
        while True:
            wait = self.login("attacker", email, source, right=False)
            yield self.clock.seconds + max(every, wait)

    def owner(self, every: float = 60.0, device: str | None = None) -> Iterator[float]:
        """Log in with the right password, each time from another source without a device."""
        for number in range(1000):
            yield number * every + 0.5
            source = f"203.0.113.{number % 250}" if device is None else EVIL
            self.login("owner", OWNER, source, right=True, device=device)


@pytest.fixture
def world(table: Table, clock: Clock) -> World:
    return World(clock)


def device_of(world: World, email: str = OWNER) -> str:
    world.login("first login", email, "192.0.2.77", right=True)
    return world.devices[email]


# --- An hour of each attack -----------------------------------------------------------------------


def test_one_wrong_password_a_second_shuts_nobody_else_out(world: World) -> None:
    device = device_of(world)
    world.run(world.guess(OWNER, EVIL), world.owner(), world.owner(device=device))
    assert world.log["owner", 429] == 0
    assert world.log["owner", 200] == 2 * 60
    # Each guess is one password hashed with argon2id.
    assert 60 <= world.log["attacker", 401] <= 100


def test_a_thousand_addresses_sprayed_from_one_source_are_guessed_700_times(world: World) -> None:
    device = device_of(world)

    def spray() -> Iterator[float]:
        for number in range(100_000):
            email = f"a{number % 1000}@example.com"
            wait = world.login("attacker", email, EVIL, right=False)
            yield world.clock.seconds + max(0.2, wait)

    world.run(spray(), world.owner(), world.owner(device=device))
    assert world.log["owner", 429] == 0
    assert 600 <= world.log["attacker", 401] <= 700


def test_a_thousand_sources_at_one_address_guess_3200_times(world: World) -> None:
    device = device_of(world)
    bots = [world.guess(OWNER, f"10.0.{n // 250}.{n % 250}", every=100.0) for n in range(1000)]
    world.run(*bots, world.owner(), world.owner(device=device))
    assert world.log["owner", 429] == 0
    assert world.log["owner", 200] == 2 * 60
    assert 2000 <= world.log["attacker", 401] <= 3200
    assert emitted["LoginsUnderAttack"] > 1000


def test_a_known_source_is_not_slowed_while_its_address_is_attacked(world: World) -> None:
    world.login("owner", OWNER, "192.0.2.1", right=True)
    bots = [world.guess(OWNER, f"10.0.0.{n}", every=100.0) for n in range(200)]
    world.run(*bots, seconds=600)
    for _ in range(5):
        world.login("owner", OWNER, "192.0.2.1", right=False)
    assert world.log["owner", 401] == 5
    world.login("owner", OWNER, "192.0.2.1", right=True)
    assert world.log["owner", 429] == 0


def test_a_provider_of_ipv6_has_one_budget_for_all_its_networks(world: World) -> None:
    networks = [f"2001:db8:1:{n:x}::1" for n in range(1000)]

    def spray() -> Iterator[float]:
        for number in range(100_000):
            email = f"a{number}@example.com"
            wait = world.login("attacker", email, networks[number % 1000], right=False)
            yield world.clock.seconds + max(0.2, wait)

    world.run(spray(), seconds=600)
    assert 600 <= world.log["attacker", 401] <= 400 + 600 / 2 + 1


def test_an_attack_is_over_two_hours_after_its_last_guess(world: World) -> None:
    bots = [world.guess(OWNER, f"10.0.{n // 250}.{n % 250}", every=1.0) for n in range(1000)]
    world.run(*bots, seconds=600)
    world.clock.now += 2 * HOUR
    for _ in range(3):
        world.login("owner", OWNER, "192.0.2.1", right=False)
    assert world.log["owner", 429] == 0


# --- At the same moment ---------------------------------------------------------------------------


def test_twenty_of_one_shop_log_in_at_the_same_moment(world: World) -> None:
    attempts = [login_attempts.begin(OWNER, EVIL) for _ in range(20)]
    for attempt in attempts:
        login_attempts.succeeded(attempt)


def test_twenty_of_a_shop_log_in_each_minute_of_an_hour_beside_five_typing_errors(
    world: World,
) -> None:
    def staff() -> Iterator[float]:
        for minute in range(60):
            attempts = [login_attempts.begin(OWNER, EVIL) for _ in range(20)]
            for attempt in attempts:
                login_attempts.succeeded(attempt)
            for _ in range(5):
                assert world.login("typing error", OWNER, EVIL, right=False) == 0
            yield (minute + 1) * 60

    world.run(staff())
    assert world.log["typing error", 401] == 300


def test_wrong_passwords_at_the_same_moment_are_all_counted(table: Table) -> None:
    def attempt(_: int) -> int:
        try:
            login_attempts.begin(OWNER, EVIL)
        except TooManyRequests:
            return 429
        return 401

    with ThreadPoolExecutor(16) as pool:
        found = Counter(pool.map(attempt, range(100)))
    assert found == {401: 30, 429: 70}


def test_a_refused_attempt_takes_nothing_and_writes_nothing(table: Table, clock: Clock) -> None:
    for _ in range(30):
        login_attempts.begin(OWNER, EVIL)
    before, table.writes = {name: {**row} for name, row in table.rows.items()}, 0
    for _ in range(50):
        with pytest.raises(TooManyRequests):
            login_attempts.begin(OWNER, EVIL)
    assert table.writes == 0
    assert table.rows == before


def test_a_source_that_fills_up_meanwhile_costs_the_pair_no_try(
    table: Table, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        login_attempts.begin(f"a{number}@example.com", EVIL)
    # The read came before the others' writes.
    monkeypatch.setattr(aws, "batch_get", lambda *_: iter(()))
    with pytest.raises(TooManyRequests):
        login_attempts.begin(OWNER, EVIL)
    [pair] = [row for name, row in table.rows.items() if login_attempts.email_hash(OWNER) in name]
    assert pair["tat"] == clock.now * 1000


# --- Devices --------------------------------------------------------------------------------------


def exhaust(world: World, device: str | None) -> int:
    """Fail from a device until it is refused; return how often it was not."""
    before = world.log["guess", 401]
    while not world.login("guess", OWNER, EVIL, right=False, device=device):
        pass
    return world.log["guess", 401] - before


def test_a_device_has_tries_of_its_own(world: World) -> None:
    device = device_of(world)
    assert exhaust(world, None) == 30
    assert exhaust(world, device) == 10
    world.clock.now += 60
    assert world.login("owner", OWNER, EVIL, right=True, device=device) == 0


def test_a_device_keeps_its_id_and_gets_new_days(world: World) -> None:
    first = device_of(world)
    world.clock.now += 89 * 86_400
    world.login("owner", OWNER, EVIL, right=True, device=first)
    second = world.devices[OWNER]
    assert second != first
    assert second.partition(".")[0] == first.partition(".")[0]
    world.clock.now += 89 * 86_400
    exhaust(world, None)
    assert world.login("owner", OWNER, EVIL, right=True, device=second) == 0


def forged(device: str) -> str:
    return device[:-1] + ("0" if device[-1] != "0" else "1")


def prolonged(device: str) -> str:
    device_id, until, signature = device.split(".")
    return f"{device_id}.{int(until) + 1}.{signature}"


def of_another_id(device: str) -> str:
    return "0" * 32 + device[32:]


@pytest.mark.parametrize(
    "change",
    [forged, prolonged, of_another_id, lambda _: "", lambda _: "..", lambda _: "é.²." + "0" * 32],
)
def test_a_forged_device_counts_as_none(world: World, change: Callable[[str], str]) -> None:
    device = change(device_of(world))
    exhaust(world, None)
    assert exhaust(world, device) == 0


def test_a_device_of_another_address_counts_as_none(world: World) -> None:
    device = device_of(world, "another@example.com")
    exhaust(world, None)
    assert exhaust(world, device) == 0


def test_an_expired_device_counts_as_none(world: World) -> None:
    device = device_of(world)
    world.clock.now += login_attempts.KNOWN_TTL_SECONDS
    exhaust(world, None)
    assert exhaust(world, device) == 0


def test_a_new_signing_key_makes_devices_and_addresses_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = device_of(world)
    before = login_attempts.email_hash(OWNER)
    use_key(monkeypatch, "n" * 64)
    assert login_attempts.email_hash(OWNER) != before
    exhaust(world, None)
    assert exhaust(world, device) == 0


# --- What is counted, and how it is named ---------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "networks"),
    [
        ("198.51.100.10", ["198.51.100.10"]),
        ("::ffff:198.51.100.10", ["198.51.100.10"]),
        ("2001:db8:1:2:3:4:5:6", ["2001:db8:1:2::/64", "2001:db8:1::/48"]),
    ],
)
def test_a_source_is_an_address_of_ipv4_or_a_network_of_ipv6(
    source: str, networks: list[str]
) -> None:
    assert [*login_attempts._networks(source)] == networks


def test_rows_have_no_address_and_expire(world: World, table: Table) -> None:
    world.login("owner", OWNER, EVIL, right=False)
    world.login("owner", OWNER, "2001:db8::1", right=True)
    world.login("owner", OWNER, EVIL, right=False, device=world.devices[OWNER])
    assert {name.split("#")[1] for name in table.rows} == {
        *("pair", "known", "source", "address", "device"),
    }
    assert OWNER not in str(table.rows)
    now = world.clock.now
    assert all(now < row["expires_at"] <= now + 90 * 86_400 for row in table.rows.values())


def test_an_address_without_an_account_is_counted_alike(world: World) -> None:
    """Attempts never learn whether there is an account."""
    assert exhaust(world, None) == 30


def test_refused_logins_are_measured(world: World) -> None:
    world.login("owner", OWNER, EVIL, right=True)
    assert emitted["LoginsRefused"] == 0
    exhaust(world, None)
    assert emitted == {"LoginsRefused": 31, "LoginsUnderAttack": 0}
