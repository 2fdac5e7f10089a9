"""Push: its queue, and a topic for each client type."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk import grants, queues
from infra.cdk.functions import FUNCTIONS, Function
from infra.cdk.lambdas import Lambdas
from infra.cdk.stages import Stage
from vitrina.channels import ClientType
from vitrina.push_tasks import WORKERS

# How long a crashed worker's task stays invisible.
VISIBILITY_SECONDS = 2 * FUNCTIONS["push"].timeout_seconds
ENDPOINTS_ARE_MANY = "The ids of endpoints are not known in advance."


class Push(Construct):
    """Exists where the stage has platform applications."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        dead_letters: sqs.IQueue,
        in_cloud: bool,
    ) -> None:
        """Failed tasks go to the fan-out queue's dead letters, which have an alarm already."""
        super().__init__(scope, construct_id)
        self._in_cloud = in_cloud
        self._apps = stage.push_apps
        self.queue = queues.task_queue(
            self, "Queue", VISIBILITY_SECONDS, dead_letters=dead_letters, in_cloud=in_cloud
        )
        prefix = f"{cdk.Stack.of(self).stack_name}-push-"
        self._topics = [
            sns.Topic(self, each.title(), topic_name=f"{prefix}{each}", enforce_ssl=in_cloud)
            for each in ClientType
        ]
        self.topics = cdk.Stack.of(self).format_arn(service="sns", resource=prefix)

    def serve(self, functions: Lambdas) -> None:
        """Allow each function what it needs of push, and feed the tasks to `push`."""
        for name, role in functions.roles.items():
            self._let(functions[name], role, FUNCTIONS[name])
        queues.feed(functions["push"], self.queue, WORKERS)

    def _let(self, function: lambda_.IFunction, role: iam.IRole, needs: Function) -> None:
        """Allow a function what its line in the table of functions says of push."""
        if needs.hands_over:
            queues.let_put(self.queue, function, in_cloud=self._in_cloud)
        of_topics = {
            "sns:Subscribe": needs.registers,
            "sns:Unsubscribe": needs.forgets,
            "sns:Publish": needs.pushes,
        }
        of_endpoints = {
            "sns:GetEndpointAttributes": needs.registers,
            "sns:SetEndpointAttributes": needs.registers,
            "sns:DeleteEndpoint": needs.forgets,
            "sns:Publish": needs.pushes,
        }
        for action, is_needed in of_topics.items():
            for topic in self._topics:
                if is_needed:
                    grants.allow(role, self._on(topic.topic_arn), action)
        for app in self._apps:
            if needs.registers:
                grants.allow(role, self._on(app), "sns:CreatePlatformEndpoint")
            if actions := [action for action, is_needed in of_endpoints.items() if is_needed]:
                endpoints = self._on(f"{app.replace(':app/', ':endpoint/')}/*")
                grants.allow(role, endpoints, *actions, wildcard_because=ENDPOINTS_ARE_MANY)

    def _on(self, arn: str) -> str:
        """Return the resource of a grant; the local cloud takes none from requests to SNS."""
        return arn if self._in_cloud else "*"
