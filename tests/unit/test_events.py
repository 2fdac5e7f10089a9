"""The wire format, byte for byte."""

import json
from datetime import UTC, datetime

from vitrina import events


def approved() -> events.ProductApproved:
    return events.ProductApproved(
        timestamp=datetime(2024, 1, 1, 12, 0, 0, tzinfo=UTC),
        id="0197",
        data=events.ProductApproval(
            product_id=123,
            product_name="Красное платье",
            shop_id=10,
            shop_name="Fashion Store",
            moderation_notes="Отличный товар",
            admin_id=1,
            approval_fee=5.0,
        ),
    )


def test_product_approved_has_the_documented_fields_and_its_channel() -> None:
    assert approved().body_for("user", 58).decode() == (
        '{"event":"product.approved","timestamp":"2024-01-01T12:00:00Z",'
        '"data":{"product_id":123,"product_name":"Красное платье","shop_id":10,'
        '"shop_name":"Fashion Store","moderation_status":"approved",'
        '"moderation_notes":"Отличный товар","admin_id":1,"approval_fee":5.0},'
        '"id":"0197","channel":"user","seq":58}'
    )


def test_one_event_has_one_id_in_all_its_channels() -> None:
    event = approved()
    bodies = [json.loads(event.body_for(channel, 1)) for channel in event.channels()]
    assert [body["channel"] for body in bodies] == ["user", "shop", "admin"]
    assert {body["id"] for body in bodies} == {"0197"}


def test_two_events_have_two_ids() -> None:
    data = approved().data
    assert events.ProductApproved(data=data).id != events.ProductApproved(data=data).id


def test_pong_is_its_name_alone() -> None:
    assert events.Pong().body() == b'{"event":"pong"}'


def test_the_longest_event_fits_one_frame_of_32_kb() -> None:
    longest = approved().data.model_copy(
        update={"product_name": "Ж" * 200, "shop_name": "Ж" * 200, "moderation_notes": "Ж" * 1000}
    )
    assert len(events.ProductApproved(data=longest).body_for("user", 2**53)) < 32 * 1024
