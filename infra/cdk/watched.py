"""The metrics of everything in the stack."""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.cdk.fanout import FanoutQueue
from infra.cdk.functions import FUNCTIONS
from infra.cdk.http_api import HttpApi
from infra.cdk.lambdas import Lambdas
from infra.cdk.storage import Storage
from infra.cdk.websocket_api import WebSocketApi
from infra.tables import TABLES
from vitrina.metrics import DIMENSION, NAMESPACE


class Watched(NamedTuple):
    """Everything that has metrics."""

    stack_name: str
    storage: Storage
    fanout_queue: FanoutQueue
    functions: Lambdas
    websocket: WebSocketApi
    http: HttpApi

    def own(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return one of the service's own metrics, by its name in `vitrina/metrics.py`."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={DIMENSION: self.stack_name},
            statistic=statistic,
        )

    def of_websocket(self, name: str) -> cloudwatch.Metric:
        return self.websocket.api.metric(name, statistic="Sum")

    def of_http(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        return self.http.api.metric(name, statistic=statistic)

    def by_function(
        self, name: str, statistic: str = "Sum", of: Iterable[str] = tuple(FUNCTIONS)
    ) -> dict[str, cloudwatch.IMetric]:
        return {
            function: self.functions[function].metric(name, statistic=statistic)
            for function in of
            if function in self.functions
        }

    def throttles_by_table(
        self, of: Container[str] = frozenset(TABLES)
    ) -> dict[str, cloudwatch.IMetric]:
        return {
            name: _sum(_throttles(name, table.table_name))
            for name, table in self.storage.tables.items()
            # Each metric of an alarm has a price; without push nothing uses the table.
            if name in of and (name != "devices" or "push" in self.functions)
        }


def _throttles(name: str, table_name: str) -> dict[str, cloudwatch.IMetric]:
    """Return the throttles of a table and of its indexes, which block the table's writes."""
    of_table = {"TableName": table_name}
    refused = {
        f"{name}_reads": ("ReadThrottleEvents", of_table),
        f"{name}_writes": ("WriteThrottleEvents", of_table),
    }
    for index in TABLES[name].indexes:
        of_index = {**of_table, "GlobalSecondaryIndexName": index.name}
        refused[f"{name}_{index.name}"] = ("WriteThrottleEvents", of_index)
    return {
        found: cloudwatch.Metric(
            namespace="AWS/DynamoDB", metric_name=metric, dimensions_map=of, statistic="Sum"
        )
        for found, (metric, of) in refused.items()
    }


def _sum(metrics: Mapping[str, cloudwatch.IMetric]) -> cloudwatch.IMetric:
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics), using_metrics=metrics
    )
