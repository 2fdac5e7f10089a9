"""Events, exactly as clients receive them: these models are the wire format."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import to_json
from typing_extensions import TypedDict  # pydantic takes `typing`'s from Python 3.12 on only

from vitrina.channels import CHANNELS, ClientType
from vitrina.types import MAX_SAFE_INTEGER


def now() -> datetime:
    """Return the present moment in UTC, to the second, as timestamps on the wire are."""
    return datetime.now(UTC).replace(microsecond=0)


class _Wire(BaseModel):
    # Built at first use: each function uses a few of these models, and all take 8 ms.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def body(self) -> bytes:
        """Return the frame: compact JSON in UTF-8, without escapes."""
        return to_json(self)


class Published(_Wire):
    """An event that is published to the channels of `CHANNELS`, with one `id` in all of them."""

    event: str
    timestamp: datetime = Field(default_factory=now)
    data: Any
    id: str = Field(default_factory=lambda: str(uuid4()))

    def channels(self) -> list[str]:
        """Return the channels of this event, by the table `channels.CHANNELS`."""
        data = dict(self.data)
        return [channel.format_map(data) for channel in CHANNELS[self.event]]

    def body_for(self, channel: str, seq: int) -> bytes:
        """Return the frame for one channel, with the channel and the event's number there."""
        return to_json({**dict(self), "channel": channel, "seq": seq})


class ProductApproval(_Wire):
    """The fields of an approved product, in this order."""

    product_id: int
    product_name: str
    shop_id: int
    shop_name: str
    moderation_status: Literal["approved"] = "approved"
    moderation_notes: str
    admin_id: int
    approval_fee: float


class ProductApproved(Published):
    """An administrator approved a product."""

    event: Literal["product.approved"] = "product.approved"
    data: ProductApproval


class ProductSubmission(_Wire):
    product_id: int
    product_name: str
    shop_id: int
    shop_name: str
    moderation_status: Literal["pending"] = "pending"


class ProductSubmitted(Published):
    """A shop submitted a product, or submitted it again."""

    event: Literal["product.submitted"] = "product.submitted"
    data: ProductSubmission


class ProductRejection(_Wire):
    product_id: int
    product_name: str
    shop_id: int
    shop_name: str
    moderation_status: Literal["rejected"] = "rejected"
    moderation_notes: str
    admin_id: int


class ProductRejected(Published):
    """An administrator rejected a product, with a reason."""

    event: Literal["product.rejected"] = "product.rejected"
    data: ProductRejection


class ProductWithdrawal(_Wire):
    """The public fields of a product: no reason, no administrator, nothing of an edit."""

    product_id: int
    product_name: str
    shop_id: int
    shop_name: str
    version: int
    """Since it left public view."""


class ProductWithdrawn(Published):
    """An approved product left public view: an administrator withdrew it, or its shop edited it."""

    event: Literal["product.withdrawn"] = "product.withdrawn"
    data: ProductWithdrawal


class ChangedSettings(TypedDict, total=False):
    """The platform's settings that have changed, with their new values."""

    approval_fee: float
    currency: str
    longest_notes: int
    shortest_rejection_notes: int


class SettingsUpdate(_Wire):
    version: int
    changed: ChangedSettings


class SettingsUpdated(Published):
    """An administrator changed the platform's settings."""

    event: Literal["settings.updated"] = "settings.updated"
    data: SettingsUpdate


class Announcement(_Wire):
    to: str
    """The channel: a type, an identity or a room."""
    title: str
    text: str
    admin_id: int


class AnnouncementPublished(Published):
    """An administrator published an announcement to a channel."""

    event: Literal["announcement.published"] = "announcement.published"
    data: Announcement


class Position(_Wire):
    """How far a channel has been read. Numbers of different epochs do not compare."""

    epoch: Annotated[str, StringConstraints(max_length=64)]
    seq: Annotated[int, Field(ge=0, le=MAX_SAFE_INTEGER, strict=True)]


class ConnectionDetails(_Wire):
    connection_id: str
    client_type: ClientType
    expires_at: datetime
    ping_interval_seconds: int
    positions: dict[str, Position]
    recovering: list[str] = []
    """Channels whose missed events follow, and then `recovered`, without a `resume`."""


class Connected(_Wire):
    """The first event of a connection: its limits, and the positions of its channels."""

    event: Literal["connected"] = "connected"
    timestamp: datetime = Field(default_factory=now)
    data: ConnectionDetails


class ChannelRecovery(Position):
    """Whether every missed event was sent, and the channel's present position."""

    recovered: bool


class Recovery(_Wire):
    recovered: bool
    """Whether every channel was recovered."""
    channels: dict[str, ChannelRecovery]


class Recovered(_Wire):
    """After the missed events: of a `resume`, or of the positions in a handshake."""

    event: Literal["recovered"] = "recovered"
    timestamp: datetime = Field(default_factory=now)
    data: Recovery


class RoomJoined(_Wire):
    room: str
    channel: str
    position: Position
    """Events after this position are sent; earlier ones are not."""


class Joined(_Wire):
    """The answer to `join`."""

    event: Literal["joined"] = "joined"
    timestamp: datetime = Field(default_factory=now)
    data: RoomJoined


class RoomLeft(_Wire):
    room: str


class Left(_Wire):
    """The answer to `leave`."""

    event: Literal["left"] = "left"
    timestamp: datetime = Field(default_factory=now)
    data: RoomLeft


class Extension(_Wire):
    expires_at: datetime


class Authenticated(_Wire):
    """The answer to `auth`."""

    event: Literal["authenticated"] = "authenticated"
    timestamp: datetime = Field(default_factory=now)
    data: Extension


class Reason(StrEnum):
    """Why the server closes a connection."""

    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - no secret
    TOO_MANY_CONNECTIONS = "too_many_connections"
    ACCOUNT_DISCONNECTED = "account_disconnected"
    EVERYONE_DISCONNECTED = "everyone_disconnected"
    TOO_MANY_REQUESTS = "too_many_requests"
    TOO_SLOW = "too_slow"


class Closure(_Wire):
    reason: Reason


class Closing(_Wire):
    """The last event of a connection that the server closes."""

    event: Literal["closing"] = "closing"
    timestamp: datetime = Field(default_factory=now)
    data: Closure


class Pong(_Wire):
    """The answer to `ping`: only its name, so that API Gateway can send it without a Lambda."""

    event: Literal["pong"] = "pong"


class Refusal(_Wire):
    code: str
    message: str
    retry_after: int | None = None
    """In seconds; with `too_many_requests` only."""


class Error(_Wire):
    """A message of this connection was refused; the connection stays open."""

    event: Literal["error"] = "error"
    timestamp: datetime = Field(default_factory=now)
    data: Refusal


class Batch(_Wire):
    """Several events in one frame, in `events`, for a client that connected with `batch=1`."""

    # No function builds this model: `frames.pack` takes the bodies of events as they are.
    event: Literal["batch"] = "batch"
    events: Annotated[list[Any], Field(min_length=2)]
