"""CloudFront in front of both APIs: one host, and a short cache for lists."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from constructs import Construct

from infra.cdk import behaviors, grants
from infra.cdk.firewall import FIREWALL_OUTPUT, FIREWALL_REGION, FirewallStack
from infra.cdk.stages import Stage
from vitrina.counts import MAX_SHARED_SECONDS
from vitrina.door import SECRET_HEADER
from vitrina.listings import LIST_STALE_TTL_SECONDS, LIST_TTL_SECONDS

# API Gateway's own limit is 30 s for a response, of which approvals use up to 29.
READ_TIMEOUT = cdk.Duration.seconds(35)

# The scripts and styles of the pages.
MAX_PAGE_PARTS_SECONDS = 3600

# CloudFront caches responses with these statuses for ten seconds by default.
CACHED_ERRORS = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)


class Edge(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        websocket_url: str,
        http_url: str,
        secret: cdk.SecretValue,
        pages: Mapping[str, cloudfront.BehaviorOptions] = {},
    ) -> None:
        """`url` is the URL for clients; `target` is what the DNS of your own domain points to.

        The secret is sent with every request to the APIs. The template has a reference to it, which
        CloudFormation resolves. `pages` are behaviors for paths that no API has.
        """
        super().__init__(scope, construct_id)
        self._stage = stage
        # No response is a page, unless its function says what the page loads. The HTTP API itself
        # sets CORS headers.
        nothing = "default-src 'none'; frame-ancestors 'none'"
        self._headers = behaviors.security_headers(self, "SecurityHeaders", nothing, override=False)
        # It replaces what a client sends.
        headers = {SECRET_HEADER: secret.unsafe_unwrap()}
        websocket, http = (_origin(url, headers) for url in (websocket_url, http_url))
        viewer = self._on_request("viewer")
        statistics = self._shared_cache("StatisticsCache", MAX_SHARED_SECONDS)
        parts = self._shared_cache("PagesCache", MAX_PAGE_PARTS_SECONDS, compressed=True)
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=self._behavior(http, viewer),
            # The first match is used, in this order.
            additional_behaviors={
                "/ws/stats": self._behavior(http, viewer, statistics),
                "/health": self._behavior(http, viewer, statistics),
                "/ws/*": self._behavior(websocket, self._on_request("websocket")),
                "/api/v1/products": self._behavior(
                    http, self._on_request("lists"), self._list_cache()
                ),
                # Scripts and styles, which are the same for everyone.
                "/docs/*": self._behavior(http, viewer, parts),
                "/client/*": self._behavior(http, viewer, parts),
                **pages,
            },
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=cdk.Duration.seconds(0))
                for status in CACHED_ERRORS
            ],
            # WebSockets use HTTP/1.1 nevertheless, as their clients request it.
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            web_acl_id=self._web_acl_arn(),
            **self._own_domain(),
        )
        self.target = distribution.distribution_domain_name
        self.url = f"https://{stage.domain_name or self.target}"
        self._acknowledge(distribution)

    def _behavior(
        self,
        origin: cloudfront.IOrigin,
        function: cloudfront.FunctionAssociation,
        cache: cloudfront.ICachePolicy = cloudfront.CachePolicy.CACHING_DISABLED,
    ) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=origin,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cache,
            # API Gateway answers 403 if Host is another name.
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=self._headers,
            # No redirect: the token in the URL would already have been sent in clear text.
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            function_associations=[function],
        )

    def _on_request(self, name: str) -> cloudfront.FunctionAssociation:
        return behaviors.on_request(self, name.capitalize(), f"edge_{name}")

    def _list_cache(self) -> cloudfront.CachePolicy:
        """Return the cache of lists, whose key has all that a response depends on.

        It has the token, and the page's origin, which API Gateway repeats in its CORS headers. It
        also has the whole query, of which the function leaves what selects a list, and the position
        of a client that has received an event.
        """
        return behaviors.cache_policy(
            self,
            "ListCache",
            cdk.Duration.seconds(LIST_TTL_SECONDS + LIST_STALE_TTL_SECONDS),
            headers=("Authorization", "Origin"),
            has_query=True,
        )

    def _shared_cache(
        self, name: str, max_seconds: int, *, compressed: bool = False
    ) -> cloudfront.CachePolicy:
        """Return a cache whose responses are the same for all requests of a page's origin."""
        max_age = cdk.Duration.seconds(max_seconds)
        return behaviors.cache_policy(
            self, name, max_age, headers=("Origin",), compressed=compressed
        )

    def _own_domain(self) -> dict[str, Any]:
        """Return the properties for your own domain; CloudFront's needs none."""
        if not self._stage.domain_name:
            return {}
        return {
            "domain_names": [self._stage.domain_name],
            "certificate": acm.Certificate.from_certificate_arn(
                self, "Certificate", self._stage.certificate_arn
            ),
            "minimum_protocol_version": cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
        }

    def _web_acl_arn(self) -> str | None:
        """Return the firewall's ARN, read from its stack when this one is deployed."""
        if not self._stage.requests_per_address:
            return None
        stack, app = cdk.Stack.of(self), self.node.root
        assert isinstance(app, Construct)  # noqa: S101
        firewall = FirewallStack(
            app,
            f"{stack.stack_name}-Firewall",
            requests_per_address=self._stage.requests_per_address,
            logins_per_address=self._stage.logins_per_address,
        )
        stack.add_stack_dependency(firewall)
        return cdk.Fn.get_stack_output(firewall.stack_name, FIREWALL_OUTPUT, FIREWALL_REGION)

    def _acknowledge(self, distribution: cloudfront.Distribution) -> None:
        reasons = {
            "CFR1": "Users of a marketplace travel: no country is blocked.",
            "CFR3": "An access log would contain the query, and tokens with it (?token=).",
        }
        if not self._stage.domain_name:
            reasons["CFR4"] = (
                "The TLS versions of CloudFront's own certificate cannot be chosen; with "
                "domain_name and certificate_arn TLS is 1.2 or newer."
            )
        if not self._stage.requests_per_address:
            reasons["CFR2"] = "The firewall is switched off: requests_per_address is 0."
        grants.acknowledge(distribution, reasons)


def _origin(url: str, headers: Mapping[str, str]) -> origins.HttpOrigin:
    return origins.HttpOrigin(
        cdk.Fn.parse_domain_name(url),
        custom_headers=headers,
        protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
        read_timeout=READ_TIMEOUT,
    )
