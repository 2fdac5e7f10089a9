"""The configuration of a deployment, and its values in dev, staging and prod."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vitrina.config import Policy

# The periods that CloudWatch Logs supports, up to two years.
LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
Email = Annotated[str, Field(pattern=r"^([^@\s]+@[^@\s]+)?$", max_length=254)]
DomainName = Annotated[str, Field(pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$", max_length=253)]
# CloudFront accepts certificates of this region only.
Certificate = Annotated[str, Field(pattern=r"^(arn:aws:acm:us-east-1:[0-9]{12}:certificate/\S+)?$")]


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
    """Whether X-Ray samples invocations: the first of a second, and 5 % of the others."""

    edge: Literal["on", "off"] = "on"
    """Whether CloudFront is in front of the APIs. A new account may have to ask for it first."""
    domain_name: DomainName = ""
    """Your own domain instead of CloudFront's, with its certificate."""
    certificate_arn: Certificate = ""
    requests_per_address: int = Field(default=10_000, ge=0)
    """Requests that the firewall allows an address in five minutes, 10 or more; 0 for no firewall.
    Phones of one mobile network may share an address."""
    logins_per_address: int = Field(default=300, ge=10)
    """Of these, logins, so that one address alone cannot use up `logins_per_second`."""

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

    def policy(self) -> dict[str, Any]:
        """Return the functions' part."""
        return self.model_dump(include={*Policy.model_fields})


# Other options have their defaults.
CHOICES: dict[str, dict[str, Any]] = {
    "dev": {
        "removal_policy": "destroy",
        "deletion_protection": False,
        "backup_days": 1,
        "log_retention_days": 7,
        "posts_per_second": 1_000,
        "user_shards": 4,
        "tracing": False,
    },
    "staging": {
        "removal_policy": "destroy",
        "deletion_protection": False,
        "backup_days": 7,
        "log_retention_days": 30,
        "posts_per_second": 1_000,
    },
    "prod": {
        "removal_policy": "retain",
        "deletion_protection": True,
        "backup_days": 35,
        "log_retention_days": 90,
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
