"""Attempts to log in: counted before the password is verified, given back if it was right.

So concurrent attempts are all counted, and successful ones use up nothing. An attempt is counted
for its device if it names one, otherwise for its email address and source together, and for its
source. Failures of an address alone never refuse a login: while the address is under attack,
unknown sources get fewer tries.
"""

import hmac
import secrets
import time
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from vitrina import aws, buckets, config, keys, metrics, trail
from vitrina.buckets import Rate
from vitrina.errors import TooManyRequests

# Enough for the staff of a shop who log in at the same time from one source.
PAIR = Rate(tries=30, seconds=60)
# A botnet has many sources: each gets two guesses, and two more an hour.
PAIR_UNDER_ATTACK = Rate(tries=2, seconds=1800)
DEVICE = Rate(tries=10, seconds=60)
# Different addresses from one source: an office, or many phones of one mobile network.
SOURCE = Rate(tries=100, seconds=6)
# A provider gives a customer of IPv6 up to a /48, which has 65,536 sources.
SITE = Rate(tries=400, seconds=2)
# Beyond these failures an address is under attack: more than one source can cause.
FAILURES = Rate(tries=100, seconds=60)
# Further failures are not counted, so that an attack is over two hours after its last guess.
COUNTED_FAILURES = Rate(tries=200, seconds=60)

KNOWN_TTL_SECONDS = 90 * 86_400
"""How long a device, and a source of an address, is known after a login."""
MAX_DEVICE_CHARACTERS = 200


class Attempt(NamedTuple):
    """An attempt that was counted, and may try its password."""

    email: str
    device_id: str
    limits: Mapping[str, Rate]
    """The buckets that a try was taken from, by name; the first is of this attempt's own device
    or pair, the others are shared."""
    counts_for: str | None
    """The bucket of the address, which a failure counts for; a device's failure counts for none."""
    new_source: str | None
    """The row to store after success, if the address never logged in from this source."""
    is_under_attack: bool


def begin(email: str, source: str, device: str | None = None) -> Attempt:
    """Count an attempt from a source, an IP address, before its password is tried.

    A device that is invalid, expired or another address's counts as none. The address need not have
    an account, so that the answer does not reveal whether it has one. Raises TooManyRequests
    `too_many_attempts`, also for a right password.
    """
    trail.note(email_hash=email_hash(email))
    if device_id := _device_id(email, device):
        limits = {f"login#device#{device_id}": DEVICE}
        attempt, wait = Attempt(email, device_id, limits, None, None, is_under_attack=False), 0.0
    else:
        attempt, wait = _from_source(email, source)
    # An attempt that the read refuses costs no write.
    if wait := wait or _take(attempt.limits):
        _report(attempt)
        raise TooManyRequests("too_many_attempts", *buckets.with_wait("Too many attempts", wait))
    return attempt


def succeeded(attempt: Attempt) -> str:
    """Give the tries of a right password back; return the device, for the next login."""
    table = config.current().platform_table
    own, *shared = attempt.limits
    aws.dynamodb().delete_item(TableName=table, Key=aws.to_item({"name": own}))
    for name in shared:
        buckets.give_back(name, attempt.limits[name])
    until = int(time.time()) + KNOWN_TTL_SECONDS
    if attempt.new_source:
        row = {"name": attempt.new_source, "expires_at": until}
        aws.dynamodb().put_item(TableName=table, Item=aws.to_item(row))
    return _device(attempt.email, attempt.device_id, until)


def failed(attempt: Attempt) -> None:
    """Count the failure for its address; its tries stay taken."""
    if attempt.counts_for:
        buckets.take(attempt.counts_for, COUNTED_FAILURES)
    _report(attempt)


def email_hash(email: str) -> str:
    """Return the hash that replaces an address in rows and logs; it depends on the signing key."""
    return _keyed_hash("email", email)


def _from_source(email: str, source: str) -> tuple[Attempt, float]:
    """Return an attempt without a device, and how long it has to wait by what is stored."""
    whole, *wider = _networks(source)
    of_address = email_hash(email)
    known, pair = (f"login#{kind}#{of_address}#{whole}" for kind in ("known", "pair"))
    address = f"login#address#{of_address}"
    by_source = {f"login#source#{whole}": SOURCE, **{f"login#source#{n}": SITE for n in wider}}
    names = (known, pair, address, *by_source)
    found = aws.batch_get(config.current().platform_table, ({"name": name} for name in names))
    rows = {row["name"]: row for row in map(aws.from_item, found)}

    def wait_of(name: str, rate: Rate) -> float:
        return rate.wait_seconds(rows.get(name, {}))

    # DynamoDB deletes expired rows late.
    is_known = known in rows and rows[known]["expires_at"] > time.time()
    is_under_attack = not is_known and wait_of(address, FAILURES) > 0
    limits = {pair: PAIR_UNDER_ATTACK if is_under_attack else PAIR}
    if not is_known:
        limits |= by_source
    attempt = Attempt(
        email,
        secrets.token_hex(16),
        limits,
        counts_for=address,
        new_source=None if is_known else known,
        is_under_attack=is_under_attack,
    )
    return attempt, max(wait_of(*limit) for limit in limits.items())


def _take(limits: Mapping[str, Rate]) -> float:
    """Take a try from each bucket, or from none; return the seconds to wait, 0 if taken."""
    for count, (name, rate) in enumerate(limits.items()):
        if wait := buckets.take(name, rate):
            for taken in list(limits)[:count]:
                buckets.give_back(taken, limits[taken])
            return wait
    return 0


def _networks(source: str) -> Iterator[str]:
    """Yield the networks that count as one source: an IPv4 address, or a /64 and its /48."""
    address = ip_address(source)
    if not isinstance(address, IPv6Address):
        yield str(address)
    elif address.ipv4_mapped:
        yield str(address.ipv4_mapped)
    else:
        yield from (str(ip_network((address, bits), strict=False)) for bits in (64, 48))


def _device(email: str, device_id: str, until: int | str) -> str:
    """Return a signed string, `ID.UNTIL.SIGNATURE`, which is valid for one address."""
    device = f"{device_id}.{until}"
    return f"{device}.{_keyed_hash('device', f'{device}.{email}')}"


def _device_id(email: str, device: str | None) -> str | None:
    """Return the id of a device that is valid for an address."""
    if not device:
        return None
    device_id, _, rest = device.partition(".")
    until = rest.partition(".")[0]
    ours = _device(email, device_id, until)
    is_ours = hmac.compare_digest(ours.encode(), device.encode())
    return device_id if is_ours and int(until) > time.time() else None


def _keyed_hash(purpose: str, text: str) -> str:
    """Return 128 bits in hex; the purpose keeps a hash from standing for another one, or a token.

    Only the current signing key is used: with a leaked key anyone could create devices.
    """
    key = keys.signing().value.encode()
    return hmac.new(key, f"{purpose}\0{text}".encode(), "sha256").hexdigest()[:32]


def _report(attempt: Attempt) -> None:
    metrics.emit(LoginsRefused=1, LoginsUnderAttack=int(attempt.is_under_attack))
