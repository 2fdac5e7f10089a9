"""The configuration of a deployment: the CDK app writes it, the functions read it."""

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

from vitrina import origins

PREFIX = "VITRINA_"
POLICY_OUTPUT = "Policy"


def _origin(text: str) -> str:
    if (normalized := origins.normalize(text)) is None:
        raise ValueError("expected an origin, such as https://console.your.shop")
    return normalized


Origin = Annotated[str, AfterValidator(_origin)]
# Plain HTTP is allowed for a server on this machine, as in tests.
JwksUrl = Annotated[str, Field(pattern=r"^(https://\S+|http://(localhost|127\.0\.0\.1)[:/]\S*)?$")]


def _split(value: object) -> object:
    """Read a list from a variable, where commas separate."""
    return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _several(value: object) -> object:
    """Read one number or a list of them."""
    return (value,) if isinstance(value, int) else _split(value)


# SNS's platform applications: their ARNs have the platform and a name.
PlatformApp = Annotated[
    str,
    Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:app/(APNS|APNS_SANDBOX|GCM)/[\w.-]+$"),
]


def _distinct(counts: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(counts)) < len(counts):
        raise ValueError("a count of shards is given once")
    return counts


# New connections are stored by the first count; all counts are read. There are several only while
# the count changes.
Shards = Annotated[
    tuple[Annotated[int, Field(ge=1, le=100)], ...],
    BeforeValidator(_several),
    Field(min_length=1, max_length=3),
    AfterValidator(_distinct),
]


class Policy(BaseModel):
    """The choices of a deployment, each with a default."""

    # Built at first use: functions use `Config`, which has all of these fields.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    token_issuer: str = "vitrina"
    token_audience: str = "vitrina"
    token_lifetime_seconds: int = Field(default=3600, ge=60, le=86_400)
    session_lifetime_seconds: int = Field(default=60 * 86_400, ge=600)
    """How long an unused session lasts; each refresh restarts the time."""
    sessions_per_account: int = Field(default=12, ge=1, le=100)
    """A login beyond this number ends the session unused longest. Twelve cost one read unit."""
    token_algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"] = "HS256"
    token_jwks_url: JwksUrl = ""
    """The key set of another issuer; without it tokens are signed with our own secret."""
    token_account_claim: str = Field(default="sub", min_length=1)
    """The claim with the account's number in another issuer's tokens."""

    allowed_origins: Annotated[tuple[Origin, ...], BeforeValidator(_split)] = ()
    """Origins of web pages that may connect and call. Apps send no Origin and need no entry."""
    guarded: bool = False
    """Whether requests are refused that have not come through the edge."""
    connections_per_identity: int = Field(default=10, ge=1, le=1000)
    rooms_per_connection: int = Field(default=20, ge=1, le=50)
    logins_per_second: int = Field(default=100, ge=1, le=10_000)
    submissions_per_shop_hour: int = Field(default=120, ge=1, le=1_000_000)
    """Products that a shop may submit or submit again; those of ten minutes at once."""

    user_shards: Shards = (4,)
    shop_shards: Shards = (1,)
    admin_shards: Shards = (1,)
    room_shards: Shards = (4,)

    posts_per_second: int = Field(default=10_000, ge=100)
    """This stack's share of the account's throttle, which all APIs of a region share."""
    fanout_workers: int = Field(default=5, ge=2, le=1000)
    """The number of workers, which share `posts_per_second`. Lambda starts five for a queue; SQS
    allows 2 to 1000. Workers beyond the number of lanes stay idle."""
    history_retention_seconds: int = Field(default=86_400, ge=60)

    push_apps: Annotated[tuple[PlatformApp, ...], BeforeValidator(_split)] = ()
    """ARNs of SNS's platform applications, from `make push-app`; without one, push is off."""
    pushes_per_second: int = Field(default=500, ge=2)
    """Of all workers together. SNS allows hundreds to thousands, by region."""

    approval_fee: Decimal = Field(default=Decimal("5.0"), ge=0, max_digits=12, decimal_places=2)
    """In force until an administrator sets another one."""
    currency: str = Field(default="RUB", pattern=r"^[A-Z]{3}$")
    ping_interval_seconds: int = 30
    logged_connections_percent: int = Field(default=100, ge=0, le=100)
    """The share of connections whose activity is logged. Refusals, and HTTP requests that change
    something, are always logged."""

    @model_validator(mode="after")
    def _a_platform_has_one_application(self) -> Self:
        if len({app.split("/")[1] for app in self.push_apps}) < len(self.push_apps):
            raise ValueError("push_apps has two applications of one platform")
        return self

    @model_validator(mode="after")
    def _public_keys_are_of_another_issuer(self) -> Self:
        if (self.token_algorithm == "HS256") is not (self.token_jwks_url == ""):
            raise ValueError("token_jwks_url needs an algorithm with public keys, and only it does")
        if self.token_account_claim != "sub" and not self.token_jwks_url:
            raise ValueError(
                "token_account_claim is for another issuer's tokens: see token_jwks_url"
            )
        return self


class Config(Policy):
    """One environment variable per field: `VITRINA_` and the field's name in capitals."""

    stack_name: str
    """Distinguishes the metrics of several deployments."""
    connections_table: str
    products_table: str
    accounts_table: str
    platform_table: str
    sessions_table: str
    history_table: str
    devices_table: str
    fanout_queue_url: str
    retry_queue_url: str
    signing_key_secret: str
    """Name or ARN of the secret whose string is the HS256 key."""
    management_url: str
    """Base URL of the @connections API, the stage included, without a trailing slash."""
    edge_secret: str = ""
    """ARN of the secret that the edge sends with each request; empty without an edge."""
    push_queue_url: str = ""
    push_topics: str = ""
    """The prefix of the topics' ARNs, one topic for each client type; empty without push."""

    def to_environment(self) -> dict[str, str]:
        return {PREFIX + name.upper(): _text(value) for name, value in self}

    @classmethod
    def from_environment(cls, environment: dict[str, str]) -> Self:
        """Read what `to_environment` wrote; raises pydantic's ValidationError, naming the field."""
        found = {name: environment.get(PREFIX + name.upper()) for name in cls.model_fields}
        return cls.model_validate({name: text for name, text in found.items() if text is not None})

    def to_outputs(self) -> dict[str, str]:
        """Return the outputs of a deployed stack: its resources, and its policy as JSON.

        The policy has only the values that are not defaults, as the size of an output is limited.
        """
        policy = self.model_dump_json(include={*Policy.model_fields}, exclude_defaults=True)
        resources = {
            output: text
            for field, output in _OUTPUTS.items()
            # No output is empty.
            if (text := getattr(self, field)) or Config.model_fields[field].is_required()
        }
        return resources | {POLICY_OUTPUT: policy}

    @classmethod
    def from_outputs(cls, outputs: dict[str, str]) -> Self:
        """Read what `to_outputs` returned, in a program that operates a deployed stack."""
        resources = {field: outputs[out] for field, out in _OUTPUTS.items() if out in outputs}
        return cls.model_validate(from_json(outputs[POLICY_OUTPUT]) | resources)

    def use(self) -> None:
        """Make this the configuration of this process."""
        os.environ.update(self.to_environment())
        forget()


# ConnectionsTable for connections_table.
_OUTPUTS = {
    name: name.title().replace("_", "")
    for name in Config.model_fields
    if name not in Policy.model_fields
}


@cache
def current() -> Config:
    """Return the configuration of this process, read at first use and then kept."""
    return Config.from_environment(dict(os.environ))


def forget() -> None:
    """Read the environment again at the next use."""
    current.cache_clear()
