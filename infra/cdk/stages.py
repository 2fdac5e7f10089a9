"""Everything a deployment may choose, and what dev, staging and prod choose."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vitrina.config import Policy

# The periods that CloudWatch Logs knows, up to two years.
LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
Email = Annotated[str, Field(pattern=r"^([^@\s]+@[^@\s]+)?$", max_length=254)]
DomainName = Annotated[str, Field(pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$", max_length=253)]
# CloudFront takes certificates of this region only.
Certificate = Annotated[str, Field(pattern=r"^(arn:aws:acm:us-east-1:[0-9]{12}:certificate/\S+)?$")]


class Stage(Policy):
    """What `cdk deploy` needs to know; the part that is `Policy` is handed to the functions."""

    name: Literal["dev", "staging", "prod"]

    removal_policy: Literal["retain", "destroy"]
    """What becomes of tables and of the signing key when the stack is deleted."""
    deletion_protection: bool
    """Whether tables refuse to be deleted, by anyone, until this is off."""
    backup_days: int = Field(ge=1, le=35)
    """How far back a table can be restored, to the second."""
    log_retention_days: LogRetentionDays
    alarm_email: Email = ""
    """Who is told of alarms; AWS asks that address to confirm. Nobody, without one."""

    architecture: Literal["arm64", "x86_64"] = "arm64"
    snap_start: bool = False
    """Whether what people wait for starts from a snapshot. Costs by the hour and by the start."""
    tracing: bool = True
    """Whether X-Ray samples invocations: the first of a second, and 5 % of the others."""

    domain_name: DomainName = ""
    """A host of one's own in front of CloudFront's, with its certificate."""
    certificate_arn: Certificate = ""
    requests_per_address: int = Field(default=10_000, ge=0)
    """What the firewall lets one address ask in five minutes; 0 for no firewall. AWS's least is 10.
    Phones of one mobile network may share an address."""

    @model_validator(mode="after")
    def _a_domain_has_a_certificate(self) -> Self:
        if bool(self.domain_name) is not bool(self.certificate_arn):
            raise ValueError("domain_name and certificate_arn come together")
        return self

    @model_validator(mode="after")
    def _the_firewall_knows_the_limit(self) -> Self:
        if 0 < self.requests_per_address < 10:  # noqa: PLR2004 - AWS's least
            raise ValueError("requests_per_address is 10 or more, or 0 for no firewall")
        return self

    @model_validator(mode="after")
    def _what_is_protected_is_kept(self) -> Self:
        if self.deletion_protection and self.removal_policy == "destroy":
            raise ValueError("deletion_protection would make removal_policy=destroy fail")
        return self

    def policy(self) -> dict[str, Any]:
        """Return the functions' part."""
        return self.model_dump(include={*Policy.model_fields})


# What is not here is the default.
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
    """Return the stage that the CDK's context names (`-c stage=dev`), `prod` unless it does.

    Stronger than what is chosen for all of that name is what the context has under the name
    (`"prod": {"allowed_origins": […]}` in cdk.json), and strongest a value of its own
    (`-c allowed_origins=…`). Raises ValueError, or pydantic's ValidationError, which is one.
    """
    name = context("stage") or "prod"
    if name not in CHOICES:
        raise ValueError(f"stage: {name} is none of {', '.join(CHOICES)}")
    deployments = context(name) or {}
    if not isinstance(deployments, Mapping):
        raise ValueError(f"{name}: expected an object of choices in the context")  # noqa: TRY004
    names = Stage.model_fields.keys() - {"name"}
    given = {field: value for field in names if (value := context(field)) is not None}
    return Stage.model_validate({**CHOICES[name], **deployments, **given, "name": name})
