"""Resources of the stack, as AWS shows them."""

import socket
import ssl
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from ops.environments import FIREWALL_REGION
from ops.verify.expectation import Unavailable, Unexpected, expect
from ops.verify.site import Site
from vitrina import config

LOGIN = "POST /api/v1/auth/login"
HTTPS_PORT = 443
CONNECT_SECONDS = 10
# What CloudFront adds to every response; infra/cdk/edge.py has their values.
SECURITY_HEADERS = (
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "content-security-policy",
)


def secret(site: Site) -> str:
    """Say that the output, which every function has, is the secret's ARN."""
    name = site.outputs["SigningKeySecret"]
    arn = site.aws("secretsmanager").describe_secret(SecretId=name)["ARN"]
    return expect("its ARN" if name == arn else name, "its ARN")


def login_throttle(site: Site) -> str:
    host = site.outputs["HttpUrl"].partition("://")[2]
    stage = site.aws("apigatewayv2").get_stage(ApiId=host.partition(".")[0], StageName="$default")
    rate = stage.get("RouteSettings", {}).get(LOGIN, {}).get("ThrottlingRateLimit")
    if rate != config.current().logins_per_second:
        raise Unexpected(f"{rate} a second")
    return f"{rate:.0f} a second"


def http2(site: Site) -> str:
    """Ask the management API's host for HTTP/2, as the sender does."""
    host = urlsplit(site.outputs["ManagementUrl"]).hostname or ""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((host, HTTPS_PORT), CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        return expect(encrypted.selected_alpn_protocol(), "h2")


def security_headers(site: Site) -> str:
    answer = site.request("GET", "/health")
    missing = [name for name in SECURITY_HEADERS if name not in answer.headers]
    if missing:
        raise Unexpected(f"missing: {', '.join(missing)}")
    return f"{len(SECURITY_HEADERS)} headers"


def firewall(site: Site) -> str:
    """Say that the distribution has the web ACL of the firewall's own stack."""
    name = f"{site.stack}-Firewall"
    try:
        stacks = site.aws("cloudformation", FIREWALL_REGION).describe_stacks(StackName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise Unavailable(f"there is no stack {name}: requests_per_address is 0") from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks["Stacks"][0]["Outputs"]}
    [distribution] = site.resources("AWS::CloudFront::Distribution").values()
    found = site.aws("cloudfront").get_distribution_config(Id=distribution)
    attached = found["DistributionConfig"]["WebACLId"]
    return expect(
        "attached" if attached == outputs["WebAclArn"] else attached or "none", "attached"
    )
