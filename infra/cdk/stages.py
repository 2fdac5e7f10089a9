"""The configuration of a deployment, and its values in dev, staging and prod."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from infra.cdk.functions import FUNCTIONS, RETRY_WORKERS
from vitrina.config import Policy

# The periods that CloudWatch Logs supports, up to two years.
LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
Email = Annotated[str, Field(pattern=r"^([^@\s]+@[^@\s]+)?$", max_length=254)]
DomainName = Annotated[str, Field(pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$", max_length=253)]
# CloudFront accepts certificates of this region only.
Certificate = Annotated[str, Field(pattern=r"^(arn:aws:acm:us-east-1:[0-9]{12}:certificate/\S+)?$")]

# AWS keeps so many executions of an account for functions without a reservation.
UNRESERVED_CONCURRENCY = 100
# Of the account's rate, for one route: no flood of one door takes the rate from posts to phones.
MAX_ROUTE_SHARE = 0.2
# The rates of the stages, as shares of the account's; `ping` is the most frequent message.
RATE_SHARES = {
    "websocket_requests_per_second": 0.1,
    "pings_per_second": 0.2,
    "http_requests_per_second": 0.1,
    "stats_per_second": 0.01,
}
MIN_BURST = 100
NOTHING_RESERVED = (
    "lambda_concurrency is 0: no function has executions of its own, and a flood of one can take "
    "those of all. docs/first-deploy.md says what to set."
)


class Throttle(NamedTuple):
    """How many requests API Gateway accepts: in a second, and at one moment."""

    rate: int
    burst: int


class Stage(Policy):
    """The configuration of `cdk deploy`; the functions receive its part `Policy`."""

    name: Literal["dev", "staging", "prod"]

    removal_policy: Literal["retain", "destroy"]
    """What happens to the tables and the signing key when the stack is deleted."""
    deletion_protection: bool
    """Whether deleting a table fails, for anyone, until this is off."""
    backup_days: int = Field(ge=1, le=35)
    """How far back a table can be restored, to the second."""
    log_retention_days: LogRetentionDays
    alarm_email: Email = ""
    """The address notified of alarms, after it has confirmed to AWS; none by default."""

    architecture: Literal["arm64", "x86_64"] = "arm64"
    snap_start: bool = False
    """Whether functions that people wait for start from a snapshot. Costs by the hour and start."""
    tracing: bool = True
    """Whether X-Ray samples what publishes: of each function the first run of a second, and 5 % of
    the others."""
    greeting_window_seconds: int = Field(default=0, ge=0, le=5)
    """How long new connections are gathered for one run of `greet`; they wait for `connected`."""
    report_lines: bool = True
    """Whether Lambda writes lines of its own about each run: START, END and REPORT."""

    edge: Literal["on", "off"] = "on"
    """Whether CloudFront is in front of the APIs. A new account may have to ask for it first.
    Without it, `guarded` has no effect."""
    edge_value: Literal["first", "second"] = "first"
    """The value of the edge's secret that CloudFront sends; the functions accept both."""
    console: Literal["on", "off"] = "on"
    """Whether the edge has the console under /console/. Without the edge it has no effect."""
    domain_name: DomainName = ""
    """Your own domain instead of CloudFront's, with its certificate."""
    certificate_arn: Certificate = ""
    requests_per_address: int = Field(default=10_000, ge=0)
    """Requests that the firewall allows an address in five minutes, 10 or more; 0 for no firewall.
    Phones of one mobile network may share an address."""
    logins_per_address: int = Field(default=300, ge=10)
    """Of these, logins, so that one address alone cannot use up `logins_per_second`."""

    account_requests_per_second: int = Field(default=10_000, ge=50)
    """API Gateway's throttle rate of the account in this region, for posts and requests."""
    websocket_requests_per_second: int = Field(default=0, ge=0)
    """Of each of $connect, $disconnect and all messages but `ping`. These four rates are shares of
    the account's if they are 0."""
    pings_per_second: int = Field(default=0, ge=0)
    http_requests_per_second: int = Field(default=0, ge=0)
    """Of each HTTP route that has no rate of its own."""
    stats_per_second: int = Field(default=0, ge=0)
    """Of each of /ws/stats and /health."""
    lambda_concurrency: int = Field(default=0, ge=0)
    """Lambda's concurrent executions of the account in this region; 0 if it is not known, and then
    no function has any reserved."""
    reserved_concurrency: Mapping[str, Annotated[int, Field(ge=1)]] = {}
    """By function, other than in `functions.py`."""

    @model_validator(mode="after")
    def _a_domain_has_a_certificate(self) -> Self:
        if bool(self.domain_name) is not bool(self.certificate_arn):
            raise ValueError("domain_name and certificate_arn must be set together")
        if self.domain_name and self.edge == "off":
            raise ValueError("domain_name is the edge's: it needs edge=on")
        return self

    @model_validator(mode="after")
    def _the_firewall_supports_the_limit(self) -> Self:
        if 0 < self.requests_per_address < 10:  # noqa: PLR2004 - AWS's minimum
            raise ValueError("requests_per_address must be 10 or more, or 0 for no firewall")
        return self

    @model_validator(mode="after")
    def _protected_tables_are_retained(self) -> Self:
        if self.deletion_protection and self.removal_policy == "destroy":
            raise ValueError("deletion_protection would make removal_policy=destroy fail")
        return self

    @model_validator(mode="after")
    def _rates_leave_the_account_enough(self) -> Self:
        account = self.account_requests_per_second
        if self.posts_per_second > account:
            raise ValueError(
                f"posts_per_second is {self.posts_per_second}, and account_requests_per_second, of "
                f"which posts are a part, only {account}"
            )
        most = int(MAX_ROUTE_SHARE * account)
        for name in (*RATE_SHARES, "logins_per_second"):
            if (rate := self.throttle(name).rate) > most:
                raise ValueError(
                    f"{name} is {rate}, and one route may have a fifth of "
                    f"account_requests_per_second: at most {most}"
                )
        return self

    @model_validator(mode="after")
    def _reservations_leave_the_account_enough(self) -> Self:
        if unknown := self.reserved_concurrency.keys() - FUNCTIONS.keys():
            raise ValueError(f"reserved_concurrency: there is no function {min(unknown)}")
        if not self.lambda_concurrency:
            return self
        left = max(0, self.lambda_concurrency - UNRESERVED_CONCURRENCY)
        total = sum(self.reserved(name) or 0 for name in FUNCTIONS)
        if total > left:
            raise ValueError(
                f"reserved_concurrency: the functions reserve {total} executions, and of "
                f"lambda_concurrency {self.lambda_concurrency} they may reserve {left}, as AWS "
                f"keeps {UNRESERVED_CONCURRENCY} for the others: reserve less, or set "
                f"lambda_concurrency to 0"
            )
        fanout = self.reserved("fanout") or 0
        workers = self.fanout_workers + RETRY_WORKERS
        if fanout < workers:
            raise ValueError(
                f"reserved_concurrency: fanout has {fanout}, and its queues start {workers} at "
                f"once, {RETRY_WORKERS} of them for retries: tasks that find none become dead "
                "letters"
            )
        return self

    def throttle(self, name: str) -> Throttle:
        """Return a rate, by the name of its option, with its burst."""
        given: int = getattr(self, name)
        rate = given or int(self.account_requests_per_second * RATE_SHARES[name])
        return Throttle(max(1, rate), max(MIN_BURST, rate // 2))

    def reserved(self, function: str) -> int | None:
        """Return how many executions are a function's own; None if it shares the others'."""
        of_table = FUNCTIONS[function].reserved_concurrency
        if function == "fanout":
            of_table += self.fanout_workers
        if not self.lambda_concurrency:
            return None
        return self.reserved_concurrency.get(function, of_table) or None

    @property
    def has_console(self) -> bool:
        return self.console == "on" and self.edge == "on"

    def notes(self) -> list[str]:
        """Return what an operator should know, although nothing is wrong."""
        return [] if self.lambda_concurrency else [NOTHING_RESERVED]

    def policy(self) -> dict[str, Any]:
        """Return the functions' part."""
        is_guarded = self.guarded and self.edge == "on"
        return self.model_dump(include={*Policy.model_fields}) | {"guarded": is_guarded}


# Other options have their defaults.
CHOICES: dict[str, dict[str, Any]] = {
    "dev": {
        "removal_policy": "destroy",
        "deletion_protection": False,
        "backup_days": 1,
        "log_retention_days": 7,
        "posts_per_second": 1_000,
        "tracing": False,
        "guarded": False,
    },
    "staging": {
        "removal_policy": "destroy",
        "deletion_protection": False,
        "backup_days": 7,
        "log_retention_days": 30,
        "posts_per_second": 1_000,
        # Four minutes cost less than half as much; docs/cost.md has the figures and the price.
        "ping_interval_seconds": 240,
        "guarded": False,
    },
    "prod": {
        "removal_policy": "retain",
        "deletion_protection": True,
        "backup_days": 35,
        "log_retention_days": 30,
        "report_lines": False,
        "logged_connections_percent": 1,
        "ping_interval_seconds": 240,
        "guarded": True,
    },
}


def choose(context: Callable[[str], Any]) -> Stage:
    """Return the stage that the CDK's context names (`-c stage=dev`), by default `prod`.

    The context's object of that name (`"prod": {"allowed_origins": […]}` in cdk.json) overrides the
    table, and a context value (`-c allowed_origins=…`) overrides both. Raises ValueError, or its
    subclass pydantic.ValidationError.
    """
    name = context("stage") or "prod"
    if name not in CHOICES:
        raise ValueError(f"stage: {name} is not one of {', '.join(CHOICES)}")
    deployments = context(name) or {}
    if not isinstance(deployments, Mapping):
        raise ValueError(f"{name}: expected an object of options in the context")  # noqa: TRY004
    names = Stage.model_fields.keys() - {"name"}
    given = {field: value for field in names if (value := context(field)) is not None}
    return Stage.model_validate({**CHOICES[name], **deployments, **given, "name": name})
