"""The firewall in front of CloudFront."""

import json

import aws_cdk as cdk
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from vitrina.errors import TEXTS_PATH

# CloudFront takes web ACLs of this region only.
FIREWALL_REGION = "us-east-1"
FIREWALL_OUTPUT = "WebAclArn"

# The response to an address above the limit, in the form of every other refusal (RFC 9457), except
# for its content type, which a firewall cannot set.
TOO_MANY_REQUESTS = 429
REFUSAL = {
    "type": f"{TEXTS_PATH}#too_many_requests",
    "title": "Too many requests",
    "status": TOO_MANY_REQUESTS,
    "code": "too_many_requests",
    "detail": "Too many requests from this address. Try again in a minute.",
}
RETRY_AFTER_SECONDS = 60

LOGIN_PATH = "/api/v1/auth/login"
# Another spelling of the path counts too, as the API may take it for the same.
_ANY_SPELLING = ("URL_DECODE", "NORMALIZE_PATH", "LOWERCASE")


class FirewallStack(cdk.Stack):
    """The firewall, in its own stack, as CloudFront requires one region for it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        requests_per_address: int,
        logins_per_address: int,
    ) -> None:
        super().__init__(scope, construct_id, env=cdk.Environment(region=FIREWALL_REGION))
        web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_metrics("Requests"),
            custom_response_bodies={
                "TooManyRequests": wafv2.CfnWebACL.CustomResponseBodyProperty(
                    content=json.dumps(REFUSAL), content_type="APPLICATION_JSON"
                )
            },
            rules=[
                _limit("RequestsPerAddress", 0, requests_per_address),
                _limit("LoginsPerAddress", 1, logins_per_address, of=_logins()),
            ],
        )
        cdk.CfnOutput(self, FIREWALL_OUTPUT, value=web_acl.attr_arn)


def _limit(
    name: str,
    priority: int,
    requests: int,
    of: wafv2.CfnWebACL.StatementProperty | None = None,
) -> wafv2.CfnWebACL.RuleProperty:
    """Block an address after so many requests in five minutes; `of` says which ones count."""
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP",
                limit=requests,
                evaluation_window_sec=300,
                scope_down_statement=of,
            )
        ),
        action=wafv2.CfnWebACL.RuleActionProperty(block=_too_many_requests()),
        visibility_config=_metrics(name),
    )


def _logins() -> wafv2.CfnWebACL.StatementProperty:
    return wafv2.CfnWebACL.StatementProperty(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint="EXACTLY",
            search_string=LOGIN_PATH,
            text_transformations=[
                wafv2.CfnWebACL.TextTransformationProperty(priority=priority, type=kind)
                for priority, kind in enumerate(_ANY_SPELLING)
            ],
        )
    )


def _too_many_requests() -> wafv2.CfnWebACL.BlockActionProperty:
    return wafv2.CfnWebACL.BlockActionProperty(
        custom_response=wafv2.CfnWebACL.CustomResponseProperty(
            response_code=TOO_MANY_REQUESTS,
            custom_response_body_key="TooManyRequests",
            response_headers=[
                wafv2.CfnWebACL.CustomHTTPHeaderProperty(
                    name="Retry-After", value=str(RETRY_AFTER_SECONDS)
                )
            ],
        )
    )


def _metrics(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Count requests without samples, which would show headers, and so tokens."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
