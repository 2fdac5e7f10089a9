"""The stack: tables, functions and APIs, connected."""

from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from infra.cdk.console import ARCHIVE, Console
from infra.cdk.edge import Edge
from infra.cdk.fanout import FanoutQueue
from infra.cdk.http_api import HttpApi
from infra.cdk.lambdas import Lambdas
from infra.cdk.monitoring import Monitoring
from infra.cdk.push import Push
from infra.cdk.stages import Stage
from infra.cdk.storage import Storage
from infra.cdk.watched import Watched
from infra.cdk.websocket_api import WebSocketApi
from infra.console import PATH
from vitrina.config import Config


class VitrinaStack(cdk.Stack):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        artifact: Path,
        emulator: str | None,
    ) -> None:
        """Build from an artifact, for AWS or for the local cloud at the URL `emulator`.

        The template's parameter `Emulator` replaces the URL's host and port.
        """
        synthesizer = cdk.CliCredentialsStackSynthesizer() if emulator else None
        super().__init__(scope, construct_id, synthesizer=synthesizer)

        storage = Storage(self, "Storage", stage=stage)
        fanout_queue = FanoutQueue(self, "Fanout", in_cloud=emulator is None)
        push = None
        if stage.push_apps:
            push = Push(
                self,
                "Push",
                stage=stage,
                dead_letters=fanout_queue.dead_letters,
                in_cloud=emulator is None,
            )
        local = emulator and self._local_cloud(emulator)
        websocket = WebSocketApi(self, "WebSocket", stage=stage, emulator=local)
        config = Config(
            stack_name=self.stack_name,
            **{f"{name}_table": table.table_name for name, table in storage.tables.items()},
            fanout_queue_url=fanout_queue.queue.queue_url,
            retry_queue_url=fanout_queue.retries.queue_url,
            signing_key_secret=storage.signing_key_arn,
            management_url=websocket.management_url,
            edge_secret=storage.edge_secret_arn,
            push_queue_url=push.queue.queue_url if push else "",
            push_topics=push.topics if push else "",
            **stage.policy(),
        )
        http = HttpApi(self, "Http", stage=stage, emulator=local)
        functions = Lambdas(
            self,
            "Functions",
            artifact=artifact,
            stage=stage,
            config=config,
            storage=storage,
            connection_arns=websocket.connection_arns,
            in_cloud=emulator is None,
        )
        for name, needs in stage.functions().items():
            if needs.queues:
                fanout_queue.let_put(functions[name])
        if push:
            push.serve(functions)
        fanout_queue.feed(functions["fanout"], config.fanout_workers)
        websocket.route_to(functions)
        http.route_to(functions)
        monitoring = Monitoring(
            self,
            "Monitoring",
            watched=Watched(self.stack_name, storage, fanout_queue, functions, websocket, http),
            alarm_email=stage.alarm_email,
            in_cloud=emulator is None,
        )

        outputs = {
            "WebSocketUrl": websocket.url,
            "HttpUrl": http.url,
            "AlarmTopic": monitoring.topic.topic_arn,
        }
        if storage.edge_secret:
            outputs["EdgeValue"] = stage.edge_value
        console = self._console(stage, artifact, in_cloud=emulator is None)
        if console:
            outputs["ConsoleBucket"] = console.bucket.bucket_name
        # local/edge.py is the edge of the local cloud.
        if emulator is None and storage.edge_secret:
            edge = Edge(
                self,
                "Edge",
                stage=stage,
                websocket_url=websocket.url,
                http_url=http.url,
                secret=storage.edge_secret.secret_value_from_json(stage.edge_value),
                pages=console.behaviors() if console else {},
            )
            outputs |= {"EdgeUrl": edge.url, "EdgeTarget": edge.target}
            if console:
                outputs["ConsoleUrl"] = f"{edge.url}{PATH}"
        for name, value in (outputs | config.to_outputs()).items():
            cdk.CfnOutput(self, name, value=value)

    def _local_cloud(self, url: str) -> str:
        """Return the host and port of a local cloud: a parameter, so one template serves all."""
        default = url.removeprefix("http://")
        return cdk.CfnParameter(self, "Emulator", default=default).value_as_string

    def _console(self, stage: Stage, artifact: Path, *, in_cloud: bool) -> Console | None:
        """Return the console, whose archive is next to the artifact, if the stage has it."""
        if not stage.has_console:
            return None
        archive = artifact.with_name(ARCHIVE)
        return Console(self, "Console", stage=stage, archive=archive, in_cloud=in_cloud)
