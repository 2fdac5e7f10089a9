"""The parts of a CloudFront behavior: its cache, its function and its response headers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

HERE = Path(__file__).parent


def cache_policy(
    scope: Construct,
    construct_id: str,
    max_age: cdk.Duration,
    *,
    headers: Sequence[str] = (),
    has_query: bool = False,
    compressed: bool = True,
) -> cloudfront.CachePolicy:
    """Cache responses as long as their `Cache-Control` allows, and at most for `max_age`.

    The key has these headers, and the whole query if `has_query`.
    """
    queries, header_keys = cloudfront.CacheQueryStringBehavior, cloudfront.CacheHeaderBehavior
    return cloudfront.CachePolicy(
        scope,
        construct_id,
        min_ttl=cdk.Duration.seconds(0),
        default_ttl=cdk.Duration.seconds(0),
        max_ttl=max_age,
        query_string_behavior=queries.all() if has_query else None,
        header_behavior=header_keys.allow_list(*headers) if headers else None,
        enable_accept_encoding_gzip=compressed,
        enable_accept_encoding_brotli=compressed,
    )


def on_request(scope: Construct, construct_id: str, file: str) -> cloudfront.FunctionAssociation:
    """Run the function in `infra/cdk/FILE.js` on each request."""
    return cloudfront.FunctionAssociation(
        event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
        function=cloudfront.Function(
            scope,
            construct_id,
            code=cloudfront.FunctionCode.from_file(file_path=str(HERE / f"{file}.js")),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        ),
    )


def security_headers(
    scope: Construct,
    construct_id: str,
    policy: str,
    *,
    override: bool,
    name: str = "",
    others: Mapping[str, str] = {},
) -> cloudfront.ResponseHeadersPolicy:
    """Return the headers that CloudFront adds, with this content security policy, and others.

    `override`: whether the origin's own content security policy is replaced. `name` tells the
    stack's policies apart.
    """
    stack = cdk.Stack.of(scope)
    return cloudfront.ResponseHeadersPolicy(
        scope,
        construct_id,
        # The name must be unique in all regions of an account.
        response_headers_policy_name="-".join(
            part for part in (stack.stack_name, stack.region, name) if part
        ),
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=cdk.Duration.days(365),
                include_subdomains=False,
                override=True,
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            frame_options=cloudfront.ResponseHeadersFrameOptions(
                frame_option=cloudfront.HeadersFrameOption.DENY, override=True
            ),
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
            ),
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=policy, override=override
            ),
        ),
        custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
            custom_headers=[
                cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
                for header, value in others.items()
            ]
        )
        if others
        else None,
    )
