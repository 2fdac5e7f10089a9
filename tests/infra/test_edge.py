"""CloudFront and its firewall, as they are synthesised."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template
from cdk_nag import AwsSolutionsChecks

from infra.cdk import behaviors, stages
from infra.cdk.edge import Edge
from infra.cdk.firewall import REFUSAL
from infra.cdk.functions import FUNCTIONS
from infra.cdk.http_api import HTTP_ROUTES, LOGIN
from tests.infra.conftest import CHOSEN, OWN_DOMAIN, synthesise
from vitrina.door import SECRET_HEADER
from vitrina.errors import KINDS

SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Edge-x"
WEBSOCKET_HOST, HTTP_HOST = "w.example.com", "h.example.com"
# CloudFront's managed policies, whose ids are the same in every account.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def app_with_edge(choices: Mapping[str, str] = {}, outdir: Path | None = None) -> cdk.App:
    app = cdk.App(outdir=str(outdir) if outdir else None)
    Edge(
        cdk.Stack(app, "Vitrina"),
        "Edge",
        stage=stages.choose(choices.get),
        websocket_url=f"wss://{WEBSOCKET_HOST}/ws",
        http_url=f"https://{HTTP_HOST}",
        secret=cdk.SecretValue.secrets_manager(SECRET_ARN, json_field="first"),
    )
    return app


def template_of(app: cdk.App, stack: str = "Vitrina") -> Template:
    found = app.node.find_child(stack)
    assert isinstance(found, cdk.Stack)
    return Template.from_stack(found)


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of(app_with_edge())


def distribution_of(template: Template) -> dict[str, Any]:
    [found] = template.find_resources("AWS::CloudFront::Distribution").values()
    config: dict[str, Any] = found["Properties"]["DistributionConfig"]
    return config


def behaviors_of(template: Template) -> dict[str, dict[str, Any]]:
    config = distribution_of(template)
    ordered = {one["PathPattern"]: one for one in config["CacheBehaviors"]}
    return ordered | {"*": config["DefaultCacheBehavior"]}


def test_each_path_goes_to_its_api_and_the_first_that_fits_is_taken(template: Template) -> None:
    config = distribution_of(template)
    hosts = {origin["Id"]: origin["DomainName"] for origin in config["Origins"]}
    assert [
        (path, hosts[behavior["TargetOriginId"]])
        for path, behavior in behaviors_of(template).items()
    ] == [
        ("/ws/stats", HTTP_HOST),
        ("/health", HTTP_HOST),
        ("/ws/*", WEBSOCKET_HOST),
        ("/api/v1/products", HTTP_HOST),
        ("/docs/*", HTTP_HOST),
        ("/client/*", HTTP_HOST),
        ("*", HTTP_HOST),
    ]


def test_every_method_and_all_but_the_host_reaches_the_apis_over_tls(template: Template) -> None:
    for behavior in behaviors_of(template).values():
        assert {*behavior["AllowedMethods"]} >= {"GET", "HEAD", "OPTIONS", "POST", "PUT"}
        assert behavior["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST_HEADER
        assert behavior["ViewerProtocolPolicy"] == "https-only"


def test_an_origin_has_time_for_the_slowest_function_and_no_path_of_its_own(
    template: Template,
) -> None:
    behind_http = {FUNCTIONS[name].timeout_seconds for name in HTTP_ROUTES.values()}
    assert max(behind_http) == 29
    for origin in distribution_of(template)["Origins"]:
        assert "OriginPath" not in origin
        assert origin["CustomOriginConfig"] == {
            "OriginProtocolPolicy": "https-only",
            "OriginReadTimeout": 35,
            "OriginSSLProtocols": ["TLSv1.2"],
        }


def test_every_behavior_has_a_function_which_is_a_file_beside_the_stack(
    template: Template,
) -> None:
    functions = template.find_resources("AWS::CloudFront::Function")
    found = {}
    for path, behavior in behaviors_of(template).items():
        for association in behavior.get("FunctionAssociations", []):
            assert association["EventType"] == "viewer-request"
            function = functions[association["FunctionARN"]["Fn::GetAtt"][0]]["Properties"]
            assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
            found[path] = function["FunctionCode"]
    assert found == {
        "/ws/stats": (behaviors.HERE / "edge_viewer.js").read_text(),
        "/health": (behaviors.HERE / "edge_viewer.js").read_text(),
        "/ws/*": (behaviors.HERE / "edge_websocket.js").read_text(),
        "/api/v1/products": (behaviors.HERE / "edge_lists.js").read_text(),
        "/docs/*": (behaviors.HERE / "edge_viewer.js").read_text(),
        "/client/*": (behaviors.HERE / "edge_viewer.js").read_text(),
        "*": (behaviors.HERE / "edge_viewer.js").read_text(),
    }
    assert len(functions) == 3


def test_every_request_to_an_api_has_the_edges_secret_by_reference(template: Template) -> None:
    sent = [origin["OriginCustomHeaders"] for origin in distribution_of(template)["Origins"]]
    reference = f"{{{{resolve:secretsmanager:{SECRET_ARN}:SecretString:first::}}}}"
    assert sent == [[{"HeaderName": SECRET_HEADER, "HeaderValue": reference}]] * 2


@pytest.mark.parametrize(("value", "choices"), [("first", {}), ("second", CHOSEN)])
def test_the_edge_sends_the_value_that_the_stage_names(value: str, choices: dict[str, str]) -> None:
    template = synthesise(None, **choices)
    apis = [each for each in distribution_of(template)["Origins"] if "CustomOriginConfig" in each]
    assert len(apis) == 2
    for origin in apis:
        [header] = origin["OriginCustomHeaders"]
        assert f":SecretString:{value}::" in json.dumps(header["HeaderValue"])


def cache_of(template: Template, path: str) -> Any:
    """Return the configuration of the cache policy of a path."""
    reference = behaviors_of(template)[path]["CachePolicyId"]["Ref"]
    policies = template.find_resources("AWS::CloudFront::CachePolicy")
    return policies[reference]["Properties"]["CachePolicyConfig"]


def test_lists_statistics_and_parts_of_pages_are_kept_and_only_if_their_origin_says_so(
    template: Template,
) -> None:
    longest = {}
    for path, behavior in behaviors_of(template).items():
        if behavior["CachePolicyId"] != CACHING_DISABLED:
            config = cache_of(template, path)
            assert (config["MinTTL"], config["DefaultTTL"]) == (0, 0)
            longest[path] = config["MaxTTL"]
    assert longest == {
        "/api/v1/products": 20,
        "/ws/stats": 10,
        "/health": 10,
        "/docs/*": 3600,
        "/client/*": 3600,
    }


def test_what_a_list_depends_on_is_in_its_key(template: Template) -> None:
    assert cache_of(template, "/api/v1/products")["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
        "HeadersConfig": {
            "HeaderBehavior": "whitelist",
            "Headers": ["Authorization", "Origin"],
        },
        "CookiesConfig": {"CookieBehavior": "none"},
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
    }


@pytest.mark.parametrize("path", ["/ws/stats", "/health"])
def test_statistics_are_the_same_for_everyone_however_they_are_asked_for(
    template: Template, path: str
) -> None:
    assert cache_of(template, path)["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["Origin"]},
        "CookiesConfig": {"CookieBehavior": "none"},
        "EnableAcceptEncodingGzip": False,
        "EnableAcceptEncodingBrotli": False,
    }


def test_no_refusal_is_kept(template: Template) -> None:
    responses = distribution_of(template)["CustomErrorResponses"]
    assert all(
        response == {"ErrorCode": response["ErrorCode"], "ErrorCachingMinTTL": 0}
        for response in responses
    )
    # CloudFront would cache these by default, or if it were configured to.
    kept_unless_told = {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert {response["ErrorCode"] for response in responses} == kept_unless_told
    assert {kind.status for kind in KINDS} & kept_unless_told == {400, 403, 404, 405, 500, 503}


def test_security_headers_are_set_and_those_of_cors_are_left_alone(template: Template) -> None:
    [(name, policy)] = template.find_resources("AWS::CloudFront::ResponseHeadersPolicy").items()
    config = policy["Properties"]["ResponseHeadersPolicyConfig"]
    assert config.keys() == {"Name", "SecurityHeadersConfig"}
    assert config["SecurityHeadersConfig"] == {
        "StrictTransportSecurity": {
            "AccessControlMaxAgeSec": 31536000,
            "IncludeSubdomains": False,
            "Override": True,
        },
        "ContentTypeOptions": {"Override": True},
        "FrameOptions": {"FrameOption": "DENY", "Override": True},
        "ReferrerPolicy": {"ReferrerPolicy": "no-referrer", "Override": True},
        "ContentSecurityPolicy": {
            "ContentSecurityPolicy": "default-src 'none'; frame-ancestors 'none'",
            # The pages have their own.
            "Override": False,
        },
    }
    for behavior in behaviors_of(template).values():
        assert behavior["ResponseHeadersPolicyId"] == {"Ref": name}


def test_newer_versions_of_http_and_of_ip_are_spoken_and_nothing_is_logged(
    template: Template,
) -> None:
    config = distribution_of(template)
    assert (config["HttpVersion"], config["IPV6Enabled"]) == ("http2and3", True)
    assert "Logging" not in config


def test_a_domain_of_ones_own_has_its_certificate_and_todays_tls(template: Template) -> None:
    own = distribution_of(template_of(app_with_edge(OWN_DOMAIN)))
    assert own["Aliases"] == ["api.example.com"]
    assert own["ViewerCertificate"] == {
        "AcmCertificateArn": OWN_DOMAIN["certificate_arn"],
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    assert not distribution_of(template).keys() & {"Aliases", "ViewerCertificate"}


def test_the_firewall_is_in_its_region_wherever_the_stack_is(template: Template) -> None:
    app = app_with_edge()
    assembly = app.synth()
    firewall = assembly.get_stack_by_name("Vitrina-Firewall")
    assert firewall.environment.region == "us-east-1"
    comes_first = [one.id for one in assembly.get_stack_by_name("Vitrina").dependencies]
    assert "Vitrina-Firewall" in comes_first
    assert distribution_of(template)["WebACLId"] == {
        "Fn::GetStackOutput": {
            "StackName": "Vitrina-Firewall",
            "Region": "us-east-1",
            "OutputName": "WebAclArn",
        }
    }
    [output] = Template.from_json(firewall.template).find_outputs("WebAclArn").values()
    assert output["Value"]["Fn::GetAtt"][1] == "Arn"


def test_an_address_with_too_many_requests_is_blocked() -> None:
    firewall = template_of(app_with_edge({"requests_per_address": "500"}), "Vitrina-Firewall")
    firewall.has_resource_properties(
        "AWS::WAFv2::WebACL",
        {
            "Scope": "CLOUDFRONT",
            "DefaultAction": {"Allow": {}},
            "Rules": [
                Match.object_like(
                    {
                        "Statement": {
                            "RateBasedStatement": {
                                "AggregateKeyType": "IP",
                                "Limit": 500,
                                "EvaluationWindowSec": 300,
                            }
                        },
                        "Action": {
                            "Block": {
                                "CustomResponse": {
                                    "ResponseCode": 429,
                                    "CustomResponseBodyKey": "TooManyRequests",
                                    "ResponseHeaders": [{"Name": "Retry-After", "Value": "60"}],
                                }
                            }
                        },
                    }
                ),
                Match.any_value(),
            ],
        },
    )
    [acl] = firewall.find_resources("AWS::WAFv2::WebACL").values()
    body = acl["Properties"]["CustomResponseBodies"]["TooManyRequests"]
    assert body["ContentType"] == "APPLICATION_JSON"
    assert json.loads(body["Content"]) == REFUSAL
    # Samples show headers, and tokens among them.
    assert '"SampledRequestsEnabled": true' not in json.dumps(acl)


def test_an_address_with_too_many_logins_is_blocked_before_it_uses_up_everyones_rate() -> None:
    choices = {"logins_per_address": "50", "logins_per_second": "20"}
    firewall = template_of(app_with_edge(choices), "Vitrina-Firewall")
    [acl] = firewall.find_resources("AWS::WAFv2::WebACL").values()
    [_, rule] = acl["Properties"]["Rules"]
    limit = rule["Statement"]["RateBasedStatement"]
    assert (limit["AggregateKeyType"], limit["Limit"]) == ("IP", 50)
    match = limit["ScopeDownStatement"]["ByteMatchStatement"]
    assert (match["FieldToMatch"], match["PositionalConstraint"]) == ({"UriPath": {}}, "EXACTLY")
    assert f"POST {match['SearchString']}" == LOGIN
    assert [each["Type"] for each in match["TextTransformations"]] == [
        *("URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"),
    ]
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429


def test_the_firewall_can_be_switched_off() -> None:
    app = app_with_edge({"requests_per_address": "0"})
    assert app.node.try_find_child("Vitrina-Firewall") is None
    assert "WebACLId" not in distribution_of(template_of(app))


@pytest.mark.parametrize("choices", [{}, {"requests_per_address": "0"}, OWN_DOMAIN], ids=str)
def test_every_finding_has_its_reason_and_nothing_is_warned_of(
    choices: dict[str, str], tmp_path: Path
) -> None:
    app = app_with_edge(choices, tmp_path)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    assert [plugin["violations"] for plugin in report["pluginReports"]] == [[]]
    vitrina = cdk.Stack.of(app.node.find_child("Vitrina"))
    assert Annotations.from_stack(vitrina).find_warning("*", Match.any_value()) == []


def test_the_outputs_say_the_one_url_and_where_to_point_a_domain_of_ones_own() -> None:
    plain = synthesise(None).find_outputs("*")
    own = synthesise(None, **OWN_DOMAIN).find_outputs("*")
    assert plain.keys() >= {"EdgeUrl", "EdgeTarget", "WebSocketUrl", "HttpUrl"}
    assert plain["EdgeUrl"]["Value"] == {
        "Fn::Join": ["", ["https://", plain["EdgeTarget"]["Value"]]]
    }
    assert own["EdgeUrl"]["Value"] == "https://api.example.com"
    assert own["EdgeTarget"] == plain["EdgeTarget"]


def test_the_local_cloud_has_no_edge_of_this_kind() -> None:
    local = synthesise("http://localhost:4566")
    assert local.find_resources("AWS::CloudFront::Distribution") == {}
    assert not local.find_outputs("*").keys() & {"EdgeUrl", "EdgeTarget"}
