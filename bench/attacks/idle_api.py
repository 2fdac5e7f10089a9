"""A WebSocket API of the local cloud whose function does nothing, for comparison."""

import io
import zipfile

import boto3

from local.emulator import Cloud

ACCOUNT, STAGE, NAME = "000000000000", "ws", "idle"
PROGRAM = "def handler(event, context):\n    return {'statusCode': 200, 'body': '{}'}\n"
ROUTES = ("$connect", "$disconnect", "$default")


def create(cloud: Cloud) -> dict[str, str]:
    """Create it; return its URL as the stack's outputs name theirs."""
    apis = boto3.client("apigatewayv2")
    api_id = apis.create_api(
        Name=NAME, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.type"
    )["ApiId"]
    arn = _function()
    integration = apis.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=_invocation(arn)
    )["IntegrationId"]
    for route in ROUTES:
        apis.create_route(
            ApiId=api_id,
            RouteKey=route,
            Target=f"integrations/{integration}",
            RouteResponseSelectionExpression="$default",
        )
    apis.create_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=True)
    host = cloud.endpoint.replace("http://", "ws://", 1)
    return {"WebSocketUrl": f"{host}/_aws/execute-api/{api_id}/{STAGE}"}


def _function() -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("idle.py", PROGRAM)
    functions = boto3.client("lambda")
    [role, *_] = boto3.client("iam").list_roles()["Roles"]
    made = functions.create_function(
        FunctionName=NAME,
        Runtime="python3.13",
        Handler="idle.handler",
        Role=role["Arn"],
        Code={"ZipFile": archive.getvalue()},
    )
    functions.add_permission(
        FunctionName=NAME,
        StatementId="anybody",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    return str(made["FunctionArn"])


def _invocation(arn: str) -> str:
    region = boto3.session.Session().region_name
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
