"""The table of events and channels, and the partitions of a channel."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, strategies

from harness import deployment
from vitrina import events, partitions
from vitrina.channels import CHANNELS, ROOM_PATTERN, ClientType, may_join
from vitrina.events import Published
from vitrina.partitions import Partition

pytestmark = pytest.mark.usefixtures("configured")

names = strategies.text(
    strategies.characters(codec="utf-8", exclude_characters="#:"), min_size=1, max_size=40
)


def test_every_published_event_is_in_the_table_and_nothing_else_is() -> None:
    published = {model.model_fields["event"].default for model in Published.__subclasses__()}
    assert published == set(CHANNELS)


@given(strategies.sampled_from([*ClientType, "room"]), names)
def test_a_member_is_stored_where_both_its_channels_look(scope: str, name: str) -> None:
    [count] = partitions.shard_counts(scope)
    place = partitions.partition_of(scope, name, count)
    assert partitions.partitions_of(f"{scope}:{name}") == [place]
    assert place.key in {partition.key for partition in partitions.partitions_of(scope)}
    assert place.prefix == f"{name}#"


@pytest.mark.parametrize(("scope", "shards"), [("user", 4), ("shop", 1), ("admin", 1)])
def test_everyone_of_a_type_is_all_shards_without_a_prefix(scope: str, shards: int) -> None:
    found = partitions.partitions_of(scope)
    assert [partition.prefix for partition in found] == [""] * shards
    assert found[0].key == f"{scope}#00"
    assert len(set(found)) == shards


def test_identities_spread_evenly_over_the_shards() -> None:
    spread = Counter(partitions.partition_of("user", str(n), 16).key for n in range(16_000))
    assert len(spread) == 16
    assert max(spread.values()) < 1.2 * 1000


def test_the_shard_of_an_identity_never_changes() -> None:
    """A stored row is found again by another process, another Python and another version."""
    assert partitions.partition_of("user", "42", 16) == Partition("user#08", "42#")
    assert partitions.partition_of("shop", "10", 4) == Partition("shop#01", "10#")


Deploy = Callable[..., None]


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Return a way to let another number of shards be in force for users, or several."""

    def deploy(*counts: int) -> None:
        deployment.configure(monkeypatch, user_shards=counts)

    return deploy


def test_while_the_shards_change_an_identity_is_looked_for_in_each_place_once(
    deploy: Deploy,
) -> None:
    deploy(16, 32)
    assert partitions.partitions_of("user:42") == [Partition("user#08", "42#")]
    twice = [Partition("user#11", "3#"), Partition("user#27", "3#")]
    assert partitions.partitions_of("user:3") == twice
    deploy(32, 16)
    assert partitions.partitions_of("user:3") == twice[::-1]


def test_while_the_shards_change_everyone_is_all_shards_of_the_larger_number(
    deploy: Deploy,
) -> None:
    for counts in ((16, 24), (24, 16), (8, 24, 16)):
        deploy(*counts)
        keys = [partition.key for partition in partitions.partitions_of("user")]
        assert keys == [f"user#{shard:02d}" for shard in range(24)]


# --- Rooms ---


@pytest.mark.parametrize("room", ["sale", "a.b_c-d", "Shopping.news", "my-shop", "10", "x.admin"])
def test_a_room_without_a_namespace_is_for_everyone(room: str) -> None:
    assert all(may_join(room, client_type, "1") for client_type in ClientType)


LOOK_ALIKES = [
    *("Admin.alerts", "ADMIN.alerts", "admin-alerts", "admin_alerts", "admins.alerts", "admin"),
    *("shop.10.orders", "shop-10.orders", "SHOP_10.orders", "shop10.orders", "shops.10", "Shop"),
]


@pytest.mark.parametrize("room", LOOK_ALIKES)
def test_a_room_that_looks_like_one_of_a_namespace_is_for_nobody(room: str) -> None:
    assert re.fullmatch(ROOM_PATTERN, room)
    assert not any(may_join(room, client_type, "10") for client_type in ClientType)


@pytest.mark.parametrize(
    "room",
    [
        *(
            "Shop:10.orders",
            "shop:010.orders",
            "shop:0.orders",
            "shop:10",
            "shop:10.",
            "shop: 10.x",
        ),
        *("user:1.x", "admin:1.x", "shop:10.a:b", "\u0430dmin.alerts", "shop:\u0661.orders"),
    ],
)
def test_other_colons_and_letters_are_in_no_name(room: str) -> None:
    assert not re.fullmatch(ROOM_PATTERN, room)


@given(strategies.from_regex(ROOM_PATTERN, fullmatch=True), strategies.integers(1, 30))
def test_only_a_shop_and_administrators_are_in_the_shops_rooms(room: str, shop_id: int) -> None:
    for name in (room, f"shop:{shop_id}.x", f"shop:{shop_id}0.x"):
        is_public = may_join(name, ClientType.USER, str(shop_id))
        is_own = name.startswith(f"shop:{shop_id}.")
        assert may_join(name, ClientType.SHOP, str(shop_id)) == (is_public or is_own)
        assert not (is_public and name.lower().startswith(("admin", "shop:")))


def test_an_event_names_its_channels(configured: object) -> None:
    submitted = events.ProductSubmitted(
        data=events.ProductSubmission(
            product_id=1, product_name="Платье", shop_id=10, shop_name="Fashion Store"
        )
    )
    assert submitted.channels() == ["admin"]
