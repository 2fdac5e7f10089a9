"""What a refresh token means for its session: any order, phones that lose answers, thieves."""

import heapq
from itertools import count
from random import Random

import pytest
from hypothesis import given, strategies

from vitrina import refresh_tokens
from vitrina.errors import Unauthorized
from vitrina.refresh_tokens import MAX_CURRENT_TURNS, Turns, succeed

DAY_MS = 86_400_000
CLIENTS_TIMEOUT_MS = 10_000
AGES_MS = (0, 29_000, 31_000, 119_000, 121_000, 59 * DAY_MS, 61 * DAY_MS, -2_000)


def turn(number: int) -> bytes:
    return number.to_bytes(16, "big")


# --- The rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("presented", "age_ms", "answered", "after"),
    [
        ("current", 0, "current", ("older", "current")),
        ("current", 119_999, "current", ("older", "current")),
        ("current", -2_000, "current", ("older", "current")),
        ("current", 120_000, "fresh", ("fresh",)),
        ("older", 0, "older", ("older", "current")),
        ("older", 120_000, "fresh", ("fresh",)),
        ("parent", 0, "current", ("older", "current")),
        ("parent", 29_999, "current", ("older", "current")),
        ("parent", 30_000, "fresh", ("older", "current", "fresh")),
        ("parent", 59 * DAY_MS, "fresh", ("older", "current", "fresh")),
        ("grandparent", 0, None, None),
        ("grandparent", 59 * DAY_MS, None, None),
    ],
)
def test_the_table(
    presented: str, age_ms: int, answered: str | None, after: tuple[str, ...] | None
) -> None:
    names = ("grandparent", "parent", "older", "current", "fresh")
    known = {name: turn(number) for number, name in enumerate(names)}
    stored = Turns((known["older"], known["current"]), known["parent"], issued_at_ms=DAY_MS)
    found = succeed(stored, known[presented], DAY_MS + age_ms, known["fresh"])
    if answered is None or after is None:
        assert found is None
        return
    assert found
    assert found.turn == known[answered]
    assert found.turns.current == tuple(known[name] for name in after)
    is_rotated = after == ("fresh",)
    assert found.turns.parent == known[presented if is_rotated else "parent"]
    assert (found.turns == stored) is ("fresh" not in after)


@given(
    strategies.lists(
        strategies.tuples(strategies.integers(0, 40), strategies.sampled_from(AGES_MS)),
        max_size=40,
    )
)
def test_any_order_of_tokens_at_any_age(steps: list[tuple[int, int]]) -> None:
    numbers = count(1)
    issued = [turn(0)]
    turns = Turns((issued[0],), None, 0)
    dead: set[bytes] = set()
    for which, age_ms in steps:
        presented = issued[which % len(issued)]
        now_ms = turns.issued_at_ms + age_ms
        found = succeed(turns, presented, now_ms, turn(next(numbers)))
        good = {*turns.current, turns.parent} - {None}
        assert (found is not None) is (presented in good)
        if found is None:
            dead.add(presented)
            continue
        assert presented not in dead, "what is old stays old"
        assert found.turn in found.turns.current, "what was answered is good at the next refresh"
        assert len(found.turns.current) <= MAX_CURRENT_TURNS
        if found.turns != turns:
            assert age_ms >= 30_000
            assert found.turns.issued_at_ms == now_ms
            assert found.turns.parent == presented
        issued = [*dict.fromkeys((*issued, found.turn))]
        turns = found.turns


# --- Phones and thieves ---------------------------------------------------------------------------


class Phone:
    """Refreshes with lost and late answers, several callers at once, and retries after any time.

    Times are in milliseconds. A request that arrives changes the session, whether its answer does
    or not.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a schedule, the same in every run
        self.numbers = count(1)
        self.turns = Turns((turn(0),), None, 0)
        self.held = turn(0)
        self.is_out = False
        self.changes = ""
        """Who refreshed such that the session changed: o for the owner, t for a thief."""
        self._queue: list[tuple[float, int, float, bytes]] = []

    def refresh(self, presented: bytes, now_ms: float, who: str = "o") -> bytes | None:
        found = succeed(self.turns, presented, int(now_ms), turn(next(self.numbers)))
        if found is None:
            self.is_out = True
            return None
        if found.turns != self.turns:
            self.changes += who
        self.turns = found.turns
        return found.turn

    def need_a_token(self, now_ms: float) -> float:
        """Ask until an answer arrives; return when it did."""
        while True:
            answered = False
            callers = self.random.choice((1, 1, 1, 2, 2, 8))
            for _ in range(callers):
                delay = self.random.choice((50, 100, 500, 2_000, 5_000))
                if self.random.random() < 0.07:
                    delay = self.random.randrange(10_000, 50_000)
                sent = now_ms + self.random.randrange(3_000)
                heapq.heappush(self._queue, (sent + delay, next(self.numbers), sent, self.held))
            deadline = now_ms + 13_500
            while self._queue and self._queue[0][0] <= deadline:
                arrived, _, sent, presented = heapq.heappop(self._queue)
                # Another function's clock.
                given_turn = self.refresh(presented, arrived + self.random.uniform(-2_000, 2_000))
                is_in_time = arrived - sent < CLIENTS_TIMEOUT_MS
                if given_turn and is_in_time and self.random.random() > 0.15:
                    self.held, answered = given_turn, True
            now_ms = deadline
            if answered or self.is_out:
                return now_ms
            now_ms += self.random.choice((500, 5_000, 30_000, 120_000, 3_600_000, DAY_MS))


def test_a_thousand_phones_that_lose_answers_are_never_logged_out() -> None:
    for seed in range(1_000):
        phone, now_ms = Phone(seed), 0.0
        for _ in range(100):
            now_ms = phone.need_a_token(now_ms)
            now_ms += phone.random.choice((500, 20_000, 61_000, 3_000_000, 3_600_000, 7_000_000))
        assert not phone.is_out, f"phone {seed}"


def test_a_thief_and_the_owner_do_not_take_turns_for_long() -> None:
    """The thief has a copy of a token that the owner holds or held before, and goes on from it."""
    for seed in range(1_000):
        phone, now_ms = Phone(seed), 0.0
        stolen = phone.held
        for _ in range(phone.random.randrange(1, 5)):
            stolen = phone.random.choice((stolen, phone.held))
            now_ms = phone.need_a_token(now_ms) + 3_600_000
        phone.changes = ""
        for _ in range(20):
            if phone.is_out:
                break
            if phone.random.random() < 0.5:
                stolen = phone.refresh(stolen, now_ms, "t") or stolen
            else:
                now_ms = phone.need_a_token(now_ms)
            now_ms += 3_600_000
        assert "toto" not in phone.changes.replace("oo", "o").replace("tt", "t"), f"phone {seed}"


# --- The text -------------------------------------------------------------------------------------


def test_a_token_is_read_as_it_was_written_and_shows_no_half() -> None:
    token = refresh_tokens.new("shop:7")
    assert refresh_tokens.parse(str(token)) == token
    assert str(token) not in repr([token])
    refresh_tokens.require_secret(token, refresh_tokens.hash_of(token.secret))
    with pytest.raises(Unauthorized, match="not valid"):
        refresh_tokens.require_secret(token, refresh_tokens.hash_of(token.turn))


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text[:0],
        lambda text: text.replace("user:7", "eyJhbGciOiJIUzI1NiJ9"),
        lambda text: f"{text}=",
        lambda text: f"{text}\n",
        lambda text: f" {text}",
        lambda text: text.replace("user", "root"),
        lambda text: text.replace(":7", ":07"),
        lambda text: text.replace(":7", ":٧"),
        lambda text: text.replace(":7", ":" + "9" * 17),
        lambda text: text.rpartition(".")[0],
        lambda text: text[:-1] + chr(ord(text[-1]) + 1),
        lambda text: text[:-4],
    ],
)
def test_other_spellings_are_refused(respell: object) -> None:
    token = str(refresh_tokens.RefreshToken("user:7", "A" * 22, bytes(32), bytes(16)))
    assert callable(respell)
    with pytest.raises(Unauthorized) as refused:
        refresh_tokens.parse(respell(token))
    assert refused.value.code == "refresh_token_invalid"
