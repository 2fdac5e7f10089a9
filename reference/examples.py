"""One example of every client message and every event."""

import json
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from vitrina import events, messages
from vitrina.channels import ClientType
from vitrina.events import Position

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
ID = "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
POSITION = Position(epoch="3f0c9a1e", seq=57)
PRODUCT = {"product_id": 1, "product_name": "Красное платье", "shop_id": 10, "shop_name": "Мода"}

_APPROVED = events.ProductApproved(
    id=ID,
    timestamp=NOON,
    data=events.ProductApproval(**PRODUCT, moderation_notes="", admin_id=1, approval_fee=5.0),
)
_RECOVERED = events.Recovered(
    timestamp=NOON,
    data=events.Recovery(
        recovered=True,
        channels={"user": events.ChannelRecovery(recovered=True, epoch="3f0c9a1e", seq=58)},
    ),
)
_MISSED = json.loads(_APPROVED.body_for("user", seq=58))

_EXAMPLES: list[BaseModel] = [
    messages.Ping(type="ping"),
    messages.Resume(type="resume", positions={"user": POSITION}),
    messages.Join(type="join", room="sale"),
    messages.Leave(type="leave", room="sale"),
    messages.Auth(type="auth", token="TOKEN"),  # noqa: S106 - no secret
    _APPROVED,
    events.ProductSubmitted(id=ID, timestamp=NOON, data=events.ProductSubmission(**PRODUCT)),
    events.ProductRejected(
        id=ID,
        timestamp=NOON,
        data=events.ProductRejection(**PRODUCT, moderation_notes="Нет фотографии", admin_id=1),
    ),
    events.ProductWithdrawn(
        id=ID, timestamp=NOON, data=events.ProductWithdrawal(**PRODUCT, version=3)
    ),
    events.SettingsUpdated(
        id=ID,
        timestamp=NOON,
        data=events.SettingsUpdate(version=1, changed={"approval_fee": 7.5}),
    ),
    events.AnnouncementPublished(
        id=ID,
        timestamp=NOON,
        data=events.Announcement(to="room:sale", title="Распродажа", text="Началась", admin_id=1),
    ),
    events.Connected(
        timestamp=NOON,
        data=events.ConnectionDetails(
            connection_id="L0SM9cOFvHcCIhw=",
            client_type=ClientType.USER,
            expires_at=NOON + timedelta(hours=1),
            ping_interval_seconds=30,
            positions={"user": POSITION, "user:42": Position(epoch="b71d0c55", seq=0)},
        ),
    ),
    _RECOVERED,
    events.Joined(
        timestamp=NOON,
        data=events.RoomJoined(room="sale", channel="room:sale", position=POSITION),
    ),
    events.Left(timestamp=NOON, data=events.RoomLeft(room="sale")),
    events.Authenticated(
        timestamp=NOON, data=events.Extension(expires_at=NOON + timedelta(hours=2))
    ),
    events.Closing(timestamp=NOON, data=events.Closure(reason=events.Reason.TOKEN_EXPIRED)),
    events.Pong(),
    events.Error(
        timestamp=NOON,
        data=events.Refusal(
            code="too_many_requests", message="Too many messages; wait 12 s.", retry_after=12
        ),
    ),
    events.Batch(events=[_MISSED, _RECOVERED]),
]
BY_MODEL = {type(example): example for example in _EXAMPLES}
