"""What a deployment is told: the CDK app writes it, the functions read it."""

import os
from decimal import Decimal
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import from_json

PREFIX = "VITRINA_"
POLICY_OUTPUT = "Policy"

# As browsers write it: no path, no slash at the end.
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]+)?$")]
# Of a server on this machine, as tests have one, over plain HTTP too.
JwksUrl = Annotated[str, Field(pattern=r"^(https://\S+|http://(localhost|127\.0\.0\.1)[:/]\S*)?$")]


def _split(value: object) -> object:
    """Read a list from a variable, where commas separate."""
    return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _several(value: object) -> object:
    """Read one number or a list of them."""
    return (value,) if isinstance(value, int) else _split(value)


def _distinct(counts: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(counts)) < len(counts):
        raise ValueError("a count of shards is given once")
    return counts


# The first is where new connections are stored; all are read. Several only while the count changes.
Shards = Annotated[
    tuple[Annotated[int, Field(ge=1, le=100)], ...],
    BeforeValidator(_several),
    Field(min_length=1, max_length=3),
    AfterValidator(_distinct),
]


class Policy(BaseModel):
    """What a deployment may decide; each has a default."""

    # Built when first used: functions use the settings alone, which have all of these.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    token_issuer: str = "vitrina"
    token_audience: str = "vitrina"
    token_lifetime_seconds: int = Field(default=3600, ge=60, le=86_400)
    session_lifetime_seconds: int = Field(default=30 * 86_400, ge=60)
    """For how long after a login its token can be exchanged for a new one."""
    token_algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"] = "HS256"
    token_jwks_url: JwksUrl = ""
    """Where another issuer publishes its keys; without it tokens are signed with our own secret."""

    allowed_origins: Annotated[tuple[Origin, ...], BeforeValidator(_split)] = ()
    """Web pages that may connect and call. Apps send no Origin, and need no entry."""
    connections_per_identity: int = Field(default=10, ge=1, le=1000)
    rooms_per_connection: int = Field(default=20, ge=1, le=50)
    logins_per_second: int = Field(default=20, ge=1, le=10_000)

    user_shards: Shards = (16,)
    shop_shards: Shards = (4,)
    admin_shards: Shards = (1,)
    room_shards: Shards = (4,)

    posts_per_second: int = Field(default=10_000, ge=100)
    """This stack's share of the account's throttle, which all APIs of a region draw on."""
    fanout_workers: int = Field(default=5, ge=2, le=1000)
    """How many workers post at once, each its part of `posts_per_second`. Lambda starts a queue
    with five; SQS takes 2 to 1000."""
    history_retention_seconds: int = Field(default=86_400, ge=60)

    approval_fee: Decimal = Field(default=Decimal("5.0"), ge=0, max_digits=12, decimal_places=2)
    """Until an administrator sets another one."""
    currency: str = Field(default="RUB", pattern=r"^[A-Z]{3}$")
    ping_interval_seconds: int = 30

    @model_validator(mode="after")
    def _another_issuer_has_public_keys(self) -> Self:
        if (self.token_algorithm == "HS256") is not (self.token_jwks_url == ""):
            raise ValueError("token_jwks_url needs an algorithm with public keys, and only it does")
        return self


class Settings(Policy):
    """One environment variable per field: `VITRINA_` and the field's name in capitals."""

    stack_name: str
    """By which the metrics of one deployment are told from those of another."""
    connections_table: str
    products_table: str
    accounts_table: str
    platform_table: str
    history_table: str
    fanout_queue_url: str
    signing_key_secret: str
    """Name or ARN of the secret whose string is the HS256 key."""
    management_url: str
    """Base URL of the @connections API, the stage included, without a trailing slash."""

    def to_environment(self) -> dict[str, str]:
        return {PREFIX + name.upper(): _text(value) for name, value in self}

    @classmethod
    def from_environment(cls, environment: dict[str, str]) -> Self:
        """Read what `to_environment` wrote; raises pydantic's ValidationError, naming the field."""
        found = {name: environment.get(PREFIX + name.upper()) for name in cls.model_fields}
        return cls.model_validate({name: text for name, text in found.items() if text is not None})

    def to_outputs(self) -> dict[str, str]:
        """Return what a deployed stack says of itself: its resources, and its policy as JSON.

        Of the policy only what is not the default: an output has little room.
        """
        policy = self.model_dump_json(include={*Policy.model_fields}, exclude_defaults=True)
        resources = {output: getattr(self, field) for field, output in _OUTPUTS.items()}
        return resources | {POLICY_OUTPUT: policy}

    @classmethod
    def from_outputs(cls, outputs: dict[str, str]) -> Self:
        """Read what `to_outputs` gave, in a program that runs beside a deployed stack."""
        resources = {field: outputs[output] for field, output in _OUTPUTS.items()}
        return cls.model_validate(from_json(outputs[POLICY_OUTPUT]) | resources)

    def use(self) -> None:
        """Make these the settings of this process."""
        os.environ.update(self.to_environment())
        current.cache_clear()


# ConnectionsTable for connections_table.
_OUTPUTS = {
    name: name.title().replace("_", "")
    for name in Settings.model_fields
    if name not in Policy.model_fields
}


@cache
def current() -> Settings:
    """Return the settings of this process, read on first use and then kept."""
    return Settings.from_environment(dict(os.environ))
