"""The synthesised template: what `cdk deploy` would make of this project."""

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from pydantic import ValidationError

from infra.cdk.functions import FUNCTIONS
from infra.cdk.http_api import HTTP_ROUTES, ROUTES
from infra.cdk.websocket_api import WEBSOCKET_ROUTES
from tests.infra.conftest import CHOSEN, resources, statements, synthesise
from vitrina import lanes, rounds
from vitrina.config import Config

ROOT = Path(__file__).parents[2]


# Without platform applications.
DEPLOYED = {name for name, needs in FUNCTIONS.items() if not needs.pushes}


def lambdas(template: Template) -> dict[str, Any]:
    """Return the properties of each function of the service by its folder."""
    found = [f["Properties"] for f in resources(template, "AWS::Lambda::Function").values()]
    return {
        properties["Handler"].split(".")[1]: properties
        for properties in found
        if properties["Handler"].startswith("functions.")
    }


def folders() -> set[str]:
    return {path.parent.name for path in ROOT.glob("functions/*/handler.py")}


def test_one_folder_is_one_lambda(template: Template, local_template: Template) -> None:
    assert set(lambdas(template)) == set(lambdas(local_template)) == DEPLOYED
    assert folders() == set(FUNCTIONS)


def test_every_handler_exists(template: Template) -> None:
    for properties in lambdas(template).values():
        module, _, name = properties["Handler"].rpartition(".")
        assert callable(getattr(import_module(module), name))


def test_every_function_reads_the_settings_that_the_stack_writes(template: Template) -> None:
    for name, properties in lambdas(template).items():
        variables = properties["Environment"]["Variables"]
        assert variables["POWERTOOLS_SERVICE_NAME"] == name
        written = {name for name in variables if name.startswith("VITRINA_")}
        assert written == {f"VITRINA_{field.upper()}" for field in Config.model_fields}


def test_http_routes_lead_to_the_functions_that_have_them() -> None:
    """The table of routes in the stack is the routes of the handlers, no more and no less."""
    served = {}
    for name in set(HTTP_ROUTES.values()):
        app = import_module(f"functions.{name}.handler").app
        for path, operations in app.get_openapi_schema().model_dump()["paths"].items():
            for method, operation in operations.items():
                if method in {"get", "post", "put", "delete"} and operation:
                    served[f"{method.upper()} {path}"] = name
    assert served == HTTP_ROUTES


def test_routes_are_integrated_with_their_functions(template: Template) -> None:
    found = {
        route["Properties"]["RouteKey"]
        for route in resources(template, "AWS::ApiGatewayV2::Route").values()
    }
    # `$default` is a route of both APIs: all other messages, all other requests.
    assert found == {*ROUTES, *WEBSOCKET_ROUTES, "ping"}


def test_a_request_that_no_route_takes_is_refused_by_a_function(template: Template) -> None:
    routes = resources(template, "AWS::ApiGatewayV2::Route").values()
    [http] = resources(template, "AWS::ApiGatewayV2::Api").keys() & {
        route["Properties"]["ApiId"]["Ref"]
        for route in routes
        if route["Properties"]["RouteKey"] in HTTP_ROUTES
    }
    of_http = [
        route["Properties"] for route in routes if route["Properties"]["ApiId"]["Ref"] == http
    ]
    keys = {route["RouteKey"] for route in of_http}
    assert keys == {*ROUTES, "$default"}
    # Uptime monitors ask with nothing else.
    assert {key.partition(" ")[2] for key in keys if key.startswith("GET ")} == {
        key.partition(" ")[2] for key in keys if key.startswith("HEAD ")
    }


def test_the_functions_know_the_allowed_origins_as_browsers_send_them(chosen: Template) -> None:
    for properties in lambdas(chosen).values():
        variables = properties["Environment"]["Variables"]
        assert (
            variables["VITRINA_ALLOWED_ORIGINS"]
            == "https://console.example.com,capacitor://localhost"
        )


def test_cors_is_left_to_the_functions(template: Template) -> None:
    """API Gateway would ignore their headers if it had a configuration of its own."""
    for api in resources(template, "AWS::ApiGatewayV2::Api").values():
        assert "CorsConfiguration" not in api["Properties"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_origins", "https://console.example.com/x"),
        ("edge", "maybe"),
        ("allowed_origins", "*"),
        ("user_shards", "0"),
        ("user_shards", "16,16"),
        ("currency", "rubles"),
        ("token_algorithm", "none"),
    ],
)
def test_a_setting_that_breaks_a_rule_is_named_before_anything_is_deployed(
    name: str, value: str
) -> None:
    with pytest.raises(ValidationError, match=name):
        synthesise(None, **{name: value})


def test_ping_invokes_no_lambda_in_the_cloud(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Integration",
        {
            "IntegrationType": "MOCK",
            "TemplateSelectionExpression": "200",
            "RequestTemplates": {"200": '{"statusCode":200}'},
        },
    )
    template.has_resource_properties(
        "AWS::ApiGatewayV2::IntegrationResponse",
        {
            "IntegrationResponseKey": "$default",
            "ResponseTemplates": {"200": '{"event":"pong"}'},
        },
    )
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Route",
        {"RouteKey": "ping", "RouteResponseSelectionExpression": "$default"},
    )


def test_message_can_answer_in_the_cloud(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Route",
        {"RouteKey": "$default", "RouteResponseSelectionExpression": "$default"},
    )
    template.resource_count_is("AWS::ApiGatewayV2::RouteResponse", 2)


def test_the_local_cloud_is_asked_for_nothing_it_does_not_know(local_template: Template) -> None:
    local_template.resource_count_is("AWS::ApiGatewayV2::RouteResponse", 0)
    local_template.resource_count_is("AWS::ApiGatewayV2::IntegrationResponse", 0)


def test_the_websocket_stage_is_ws_and_routes_by_type(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Api",
        {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.type"},
    )
    template.has_resource_properties("AWS::ApiGatewayV2::Stage", {"StageName": "ws"})


def test_no_function_may_do_anything_to_everything(template: Template) -> None:
    for statement in statements(template):
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert not action.endswith("*")
        if statement["Resource"] == "*":
            # Streams are listed without naming one, and X-Ray has nothing that could be named.
            assert actions in (
                "dynamodb:ListStreams",
                ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            )


def test_only_functions_that_post_may_post_and_none_may_scan_connections(
    template: Template,
) -> None:
    actions = json.dumps(list(statements(template)))
    assert actions.count("execute-api:ManageConnections") == sum(
        function.posts + function.closes + function.probes for function in FUNCTIONS.values()
    )
    assert "dynamodb:Scan" not in actions


def test_only_functions_that_close_connections_may_end_them(template: Template) -> None:
    managed = [
        json.dumps(statement["Resource"])
        for statement in statements(template)
        if statement["Action"] == "execute-api:ManageConnections"
    ]
    ways = Counter(re.search(r"/ws/(\w+)/@connections/\*", arn)[1] for arn in managed)  # type: ignore[index]
    assert ways == {
        "POST": sum(function.posts for function in FUNCTIONS.values()),
        "DELETE": sum(function.closes for function in FUNCTIONS.values()),
        "GET": 1,
    }


def test_an_index_is_granted_by_its_name(template: Template) -> None:
    resources = {json.dumps(statement["Resource"]) for statement in statements(template)}
    indexes = {found for text in resources for found in re.findall(r"/index/([^\"]+)", text)}
    assert indexes == {"outbox", "moderation_status", "shop_status", "unclosed", "due"}


def test_a_function_writes_to_its_own_log_group_only(template: Template) -> None:
    assert not re.search(r"service-role/AWSLambda", json.dumps(template.to_json()))
    written = [
        statement
        for statement in statements(template)
        if "logs:PutLogEvents" in statement["Action"]
    ]
    assert len({json.dumps(statement["Resource"]) for statement in written}) == len(DEPLOYED) + 1


def test_tables_are_kept_protected_and_restorable_in_the_cloud(template: Template) -> None:
    tables = resources(template, "AWS::DynamoDB::GlobalTable")
    assert len(tables) == 7
    for table in tables.values():
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
        [replica] = table["Properties"]["Replicas"]
        assert replica["DeletionProtectionEnabled"]
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_the_connections_table_expires_and_streams_both_images(template: Template) -> None:
    template.has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "KeySchema": [
                {"AttributeName": "partition", "KeyType": "HASH"},
                {"AttributeName": "member", "KeyType": "RANGE"},
            ],
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "GlobalSecondaryIndexes": Match.absent(),
        },
    )


def test_attempts_to_log_in_expire(template: Template) -> None:
    template.has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        },
    )


def test_a_poison_record_blocks_the_stream_for_no_longer_than_a_minute(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "MaximumRetryAttempts": 2,
            "MaximumRecordAgeInSeconds": 60,
            "BisectBatchOnFunctionError": True,
            "DestinationConfig": Match.any_value(),
            "FilterCriteria": Match.any_value(),
        },
    )


def test_new_connections_are_gathered_only_where_the_stage_says_so(
    template: Template, chosen: Template
) -> None:
    def windows(found: Template) -> list[int]:
        mappings = resources(found, "AWS::Lambda::EventSourceMapping").values()
        said = (each["Properties"].get("MaximumBatchingWindowInSeconds") for each in mappings)
        return [seconds for seconds in said if seconds is not None]

    assert windows(template) == []
    assert windows(chosen) == [1]


def test_the_outbox_is_a_sparse_index_of_keys_by_age(template: Template) -> None:
    template.has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "KeySchema": [
                {"AttributeName": "channel", "KeyType": "HASH"},
                {"AttributeName": "seq", "KeyType": "RANGE"},
            ],
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "outbox",
                    "KeySchema": [
                        {"AttributeName": "unsent", "KeyType": "HASH"},
                        {"AttributeName": "created_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        },
    )


def test_workers_are_as_many_as_the_settings_say_and_fail_task_by_task(template: Template) -> None:
    """Retries have two of their own."""
    for workers in (Config.model_fields["fanout_workers"].default, 2):
        template.has_resource_properties(
            "AWS::Lambda::EventSourceMapping",
            {
                "BatchSize": 1,
                "ScalingConfig": {"MaximumConcurrency": workers},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        )


def test_a_task_outlives_its_worker_and_its_lease_and_rests_after_ten_attempts(
    template: Template,
) -> None:
    """Earlier, the worker that it wakes would find the lane held by the one that has died."""
    visibility = 30
    assert visibility > FUNCTIONS["fanout"].timeout_seconds + lanes.LEASE_MS / 1000
    slice_seconds = rounds.SLICE_BUDGET_SECONDS + max(rounds.SLICE_SECONDS.values())
    longest = max(rounds.MAX_WORK_SECONDS.values()) + slice_seconds
    assert FUNCTIONS["fanout"].timeout_seconds > 2 * longest
    assert lanes.LEASE_MS / 1000 > 2 * rounds.SLICE_BUDGET_SECONDS
    queue = {
        "VisibilityTimeout": visibility,
        "RedrivePolicy": {"maxReceiveCount": 10, "deadLetterTargetArn": Match.any_value()},
    }
    assert len(template.find_resources("AWS::SQS::Queue", {"Properties": queue})) == 2


def test_queues_take_messages_over_tls_only(template: Template) -> None:
    queues = resources(template, "AWS::SQS::Queue")
    policies = json.dumps(resources(template, "AWS::SQS::QueuePolicy"))
    assert len(queues) == 4
    assert policies.count('{"aws:SecureTransport": "false"}') == len(queues)


def test_the_sweep_runs_every_minute(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Events::Rule", {"ScheduleExpression": "rate(1 minute)", "State": "ENABLED"}
    )


def test_without_the_edge_the_apis_own_urls_are_the_outputs() -> None:
    template = synthesise(None, edge="off")
    assert resources(template, "AWS::CloudFront::Distribution") == {}
    assert {"WebSocketUrl", "HttpUrl"} <= set(template.find_outputs("*"))
    assert not {"EdgeUrl", "EdgeTarget"} & set(template.find_outputs("*"))


def test_greet_may_list_streams_on_the_only_resource_that_the_action_has(
    template: Template,
) -> None:
    allowed = [
        statement["Resource"]
        for statement in statements(template)
        if "dynamodb:ListStreams" in statement["Action"]
    ]
    assert "*" in allowed


def test_the_pings_answer_selects_its_template(template: Template) -> None:
    [response] = resources(template, "AWS::ApiGatewayV2::IntegrationResponse").values()
    selected = response["Properties"]["TemplateSelectionExpression"]
    assert json.loads(response["Properties"]["ResponseTemplates"][selected]) == {"event": "pong"}


def test_the_outputs_say_where_to_connect(template: Template) -> None:
    assert set(template.find_outputs("*")) >= {"WebSocketUrl", "HttpUrl"}


def test_nothing_in_the_template_is_a_secret(template: Template) -> None:
    text = json.dumps(template.to_json())
    assert not re.search(r"password\"", text)
    template.has_resource_properties(
        "AWS::SecretsManager::Secret",
        {"GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True}},
    )


def test_public_keys_are_a_layer_of_those_who_read_tokens_where_another_issues_them(
    template: Template,
) -> None:
    template.resource_count_is("AWS::Lambda::LayerVersion", 0)
    issuer = {"token_jwks_url": "https://id.your.shop/jwks", "token_algorithm": "RS256"}
    layered = synthesise(None, **issuer)
    layered.resource_count_is("AWS::Lambda::LayerVersion", 1)
    with_layer = {name for name, properties in lambdas(layered).items() if "Layers" in properties}
    assert with_layer == {name for name, needs in FUNCTIONS.items() if needs.has_key}


def test_no_function_may_read_the_signing_key_where_another_issues_tokens(
    template: Template,
) -> None:
    issuer = {"token_jwks_url": "https://id.your.shop/jwks", "token_algorithm": "RS256"}

    def readers(of: Template) -> int:
        about_secrets = (
            each for each in statements(of) if "secretsmanager:" in str(each["Action"])
        )
        return sum("SigningKey" in str(each["Resource"]) for each in about_secrets)

    assert readers(template) == sum(needs.has_key for needs in FUNCTIONS.values())
    assert readers(synthesise(None, **issuer)) == 0


@pytest.mark.parametrize(("architecture", "choices"), [("arm64", {}), ("x86_64", CHOSEN)])
def test_functions_run_on_the_architecture_that_is_chosen(
    architecture: str, choices: dict[str, str]
) -> None:
    for properties in lambdas(synthesise(None, **choices)).values():
        assert properties["Architectures"] == [architecture]


def test_what_people_wait_for_is_invoked_by_the_alias_of_a_snapshot_if_it_is_chosen(
    template: Template,
) -> None:
    template.resource_count_is("AWS::Lambda::Alias", 0)
    restored = synthesise(None, snap_start="true")
    restored.resource_count_is("AWS::Lambda::Alias", 5)
    snapped = {name for name, properties in lambdas(restored).items() if "SnapStart" in properties}
    assert snapped == {"connect", "message", "greet", "approve", "fanout"}
    integrations = json.dumps(resources(restored, "AWS::ApiGatewayV2::Integration"))
    assert integrations.count("Live") == 3


@pytest.mark.parametrize(
    ("name", "deletion_policy", "is_protected", "backup_days", "log_days"),
    [
        ("dev", "Delete", False, 1, 7),
        ("staging", "Delete", False, 7, 30),
        ("prod", "RetainExceptOnCreate", True, 35, 30),
    ],
)
def test_a_stage_keeps_what_it_says_for_as_long_as_it_says(
    name: str, deletion_policy: str, is_protected: bool, backup_days: int, log_days: int
) -> None:
    template = synthesise(None, stage=name)
    for table in resources(template, "AWS::DynamoDB::GlobalTable").values():
        [replica] = table["Properties"]["Replicas"]
        backups = replica["PointInTimeRecoverySpecification"]
        assert table["DeletionPolicy"] == deletion_policy
        assert replica["DeletionProtectionEnabled"] is is_protected
        assert backups["RecoveryPeriodInDays"] == backup_days
    for secret in resources(template, "AWS::SecretsManager::Secret").values():
        assert secret["DeletionPolicy"] == deletion_policy
    groups = resources(template, "AWS::Logs::LogGroup").values()
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {log_days}
    assert len(groups) == len(DEPLOYED) + 2
