"""The table of events and channels, and the partitions of a channel."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from vitrina import channels, events
from vitrina.channels import CHANNELS, ClientType
from vitrina.events import Published

pytestmark = pytest.mark.usefixtures("configured")

names = strategies.text(
    strategies.characters(codec="utf-8", exclude_characters="#:"), min_size=1, max_size=40
)


def test_every_published_event_is_in_the_table_and_nothing_else_is() -> None:
    published = {model.model_fields["event"].default for model in Published.__subclasses__()}
    assert published == set(CHANNELS)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strategies.sampled_from([*ClientType, "room"]), names)
def test_a_member_is_stored_where_both_its_channels_look(scope: str, name: str) -> None:
    place = channels.membership(scope, name)
    assert channels.partitions(f"{scope}:{name}") == [place]
    assert place.key in {partition.key for partition in channels.partitions(scope)}
    assert place.prefix == f"{name}#"


@pytest.mark.parametrize(("scope", "shards"), [("user", 16), ("shop", 4), ("admin", 1)])
def test_everyone_of_a_type_is_all_shards_without_a_prefix(scope: str, shards: int) -> None:
    partitions = channels.partitions(scope)
    assert [partition.prefix for partition in partitions] == [""] * shards
    assert partitions[0].key == f"{scope}#00"
    assert len(set(partitions)) == shards


def test_identities_spread_evenly_over_the_shards() -> None:
    spread = Counter(channels.membership("user", str(n)).key for n in range(16_000))
    assert len(spread) == 16
    assert max(spread.values()) < 1.2 * 1000


def test_the_shard_of_an_identity_never_changes() -> None:
    """A stored row is found again by another process, another Python and another version."""
    assert channels.membership("user", "42") == channels.Partition("user#08", "42#")
    assert channels.membership("shop", "10") == channels.Partition("shop#01", "10#")


def test_an_event_names_its_channels(configured: object) -> None:
    submitted = events.ProductSubmitted(
        data=events.ProductSubmission(
            product_id=1, product_name="Платье", shop_id=10, shop_name="Fashion Store"
        )
    )
    assert submitted.channels() == ["admin"]
