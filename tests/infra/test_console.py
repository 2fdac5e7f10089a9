"""How the console is stored, uploaded and served, as it is synthesised."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra import console
from infra.cdk import behaviors
from tests.infra.conftest import OWN_DOMAIN, resources, statements, synthesise
from tests.infra.test_edge import CACHING_DISABLED, behaviors_of, distribution_of
from tests.infra.test_edge_functions import event, run

PATHS = ("/console", "/console/*")
LOCAL = "http://localhost:4566"


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesise(None)


def bucket_of(template: Template) -> tuple[str, dict[str, Any]]:
    [(name, bucket)] = resources(template, "AWS::S3::Bucket").items()
    return name, bucket


def test_the_bucket_is_private_encrypted_and_goes_with_the_stack(template: Template) -> None:
    _, bucket = bucket_of(template)
    assert bucket["DeletionPolicy"] == "Delete"
    properties = bucket["Properties"]
    assert {*properties["PublicAccessBlockConfiguration"].values()} == {True}
    assert properties["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }
    assert "AES256" in json.dumps(properties["BucketEncryption"])


def test_only_the_distribution_reads_it_and_only_over_tls(template: Template) -> None:
    [policy] = resources(template, "AWS::S3::BucketPolicy").values()
    plain, read = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (plain["Effect"], plain["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )
    [distribution] = resources(template, "AWS::CloudFront::Distribution")
    assert (read["Effect"], read["Action"]) == ("Allow", "s3:GetObject")
    assert read["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert distribution in json.dumps(read["Condition"]["StringEquals"]["AWS:SourceArn"])


def test_cloudfront_signs_what_it_asks_the_bucket_for(template: Template) -> None:
    [(name, control)] = resources(template, "AWS::CloudFront::OriginAccessControl").items()
    config = control["Properties"]["OriginAccessControlConfig"]
    assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")
    [origin] = [each for each in distribution_of(template)["Origins"] if "S3OriginConfig" in each]
    assert origin["OriginAccessControlId"] == {"Fn::GetAtt": [name, "Id"]}
    # The bucket learns nothing of the edge's secret.
    assert "OriginCustomHeaders" not in origin


def test_its_paths_are_read_only_and_come_before_those_of_the_apis(template: Template) -> None:
    behaviors = behaviors_of(template)
    for path in PATHS:
        assert {*behaviors[path]["AllowedMethods"]} == {"GET", "HEAD"}
        assert behaviors[path]["ViewerProtocolPolicy"] == "https-only"
        assert behaviors[path]["Compress"]
        assert "OriginRequestPolicyId" not in behaviors[path]


def test_files_are_kept_as_long_as_each_of_them_says(template: Template) -> None:
    policies = resources(template, "AWS::CloudFront::CachePolicy")
    for path in PATHS:
        chosen = behaviors_of(template)[path]["CachePolicyId"]
        assert chosen != CACHING_DISABLED
        config = policies[chosen["Ref"]]["Properties"]["CachePolicyConfig"]
        assert (config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]) == (0, 0, 31536000)
        key = config["ParametersInCacheKeyAndForwardedToOrigin"]
        assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


def test_browsers_are_told_the_same_by_cloudfront_as_by_the_local_edge(template: Template) -> None:
    policies = resources(template, "AWS::CloudFront::ResponseHeadersPolicy")
    chosen = {behaviors_of(template)[path]["ResponseHeadersPolicyId"]["Ref"] for path in PATHS}
    [config] = [policies[name]["Properties"]["ResponseHeadersPolicyConfig"] for name in chosen]
    security = config["SecurityHeadersConfig"]
    said = {each["Header"]: each["Value"] for each in config["CustomHeadersConfig"]["Items"]}
    said["Content-Security-Policy"] = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    said["Referrer-Policy"] = security["ReferrerPolicy"]["ReferrerPolicy"]
    said["X-Frame-Options"] = security["FrameOptions"]["FrameOption"]
    assert said | {"X-Content-Type-Options": "nosniff"} == console.HEADERS
    assert all(part["Override"] for part in security.values())
    # A name is unique in an account.
    assert len({json.dumps(each["Properties"]) for each in policies.values()}) == 2


def test_the_policy_allows_no_script_but_its_own_files() -> None:
    policy = dict(part.split(" ", 1) for part in console.POLICY.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in console.POLICY


def test_a_path_is_the_page_or_the_name_of_a_file() -> None:
    function = behaviors.HERE / "edge_console.js"
    asked = ["/console/", "/console/assets/main-ABCDEFGH.js", "/console/index.html"]
    answers = run(function, *(event(path, "x=1") for path in asked))
    assert [answer["uri"] for answer in answers] == [
        *("/console/index.html", "/console/assets/main-ABCDEFGH.js", "/console/index.html"),
    ]
    [moved] = run(function, event("/console", ""))
    assert (moved["statusCode"], moved["headers"]["location"]["value"]) == (308, "/console/")


@pytest.mark.parametrize("emulator", [None, LOCAL])
def test_the_deployment_uploads_the_files_by_a_function_of_this_project(
    emulator: str | None,
) -> None:
    template = synthesise(emulator)
    [files] = resources(template, "Custom::ConsoleFiles").values()
    uploaders = {
        name: function["Properties"]
        for name, function in resources(template, "AWS::Lambda::Function").items()
        if function["Properties"]["Handler"] == "upload.handler"
    }
    [(uploader, properties)] = uploaders.items()
    bucket, _ = bucket_of(template)
    assert files["Properties"]["ServiceToken"] == {"Fn::GetAtt": [uploader, "Arn"]}
    assert files["Properties"]["Bucket"] == {"Ref": bucket}
    # Another archive is another upload.
    assert len(files["Properties"]["Archive"]) == 64
    assert int(files["Properties"]["ServiceTimeout"]) > properties["Timeout"]
    role = properties["Role"]["Fn::GetAtt"][0]
    granted = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in resources(template, "AWS::IAM::Policy").values()
        if policy["Properties"]["Roles"] == [{"Ref": role}]
    ]
    actions = [action for [*found] in granted for each in found for action in [each["Action"]]]
    assert actions == [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["s3:PutObject", "s3:DeleteObject"],
        "s3:ListBucket",
    ]


def test_no_other_function_may_touch_the_bucket(template: Template) -> None:
    about_buckets = [each for each in statements(template) if "s3:" in str(each["Action"])]
    assert len(about_buckets) == 2


def test_the_outputs_say_where_it_is(template: Template) -> None:
    [output] = synthesise(None, **OWN_DOMAIN).find_outputs("ConsoleUrl").values()
    assert output["Value"] == "https://api.example.com/console/"


@pytest.mark.parametrize("choices", [{"stage": "dev", "console": "off"}, {"edge": "off"}], ids=str)
def test_without_the_console_or_the_edge_there_is_no_trace_of_it(choices: dict[str, str]) -> None:
    text = json.dumps(synthesise(None, **choices).to_json()).lower()
    assert "s3origin" not in text
    assert "upload" not in text
    assert "consolebucket" not in text


def test_in_the_local_cloud_the_bucket_is_filled_and_the_local_edge_serves_it() -> None:
    template = synthesise(LOCAL)
    [output] = template.find_outputs("ConsoleBucket").values()
    assert output["Value"] == {"Ref": bucket_of(template)[0]}
    assert resources(template, "AWS::CloudFront::OriginAccessControl") == {}
