"""Amazon SNS for tests that stop at every call: endpoints, subscriptions, and what phones get.

As the API reference describes it. A token has one endpoint, an endpoint one subscription to a
topic; a subscription outlives its endpoint; what is published to a topic reaches those that are
subscribed and enabled at that moment.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from tests.aws import processes

Receive = Callable[[str, dict[str, Any]], None]


@dataclass
class Endpoint:
    token: str
    is_enabled: bool = True


@dataclass
class Sns:
    receive: Receive
    """Is called with a token and what its phone gets of APNs."""
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    subscriptions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The topic and the endpoint of each."""
    faults: list[str] = field(default_factory=list)
    """Error codes of the next calls that put something into the world."""
    refusals: int = 0
    """How often an endpoint whose token has ended was published to."""
    _numbers: Any = field(default_factory=count)

    def create_platform_endpoint(self, *, PlatformApplicationArn: str, Token: str) -> Any:  # noqa: N803 - boto3's names
        processes.step()
        for arn, endpoint in self.endpoints.items():
            if endpoint.token == Token:
                return {"EndpointArn": arn}
        arn = f"{PlatformApplicationArn.replace(':app/', ':endpoint/')}/{next(self._numbers)}"
        self.endpoints[arn] = Endpoint(Token)
        return {"EndpointArn": arn}

    def get_endpoint_attributes(self, *, EndpointArn: str) -> Any:  # noqa: N803
        processes.step()
        found = self._find(EndpointArn)
        enabled = str(found.is_enabled).lower()
        return {"Attributes": {"Token": found.token, "Enabled": enabled}}

    def set_endpoint_attributes(self, *, EndpointArn: str, Attributes: Any) -> None:  # noqa: N803
        processes.step()
        found = self._find(EndpointArn)
        token = Attributes["Token"]
        if any(each.token == token and each is not found for each in self.endpoints.values()):
            raise _refusal("InvalidParameter", "An endpoint already exists with the same Token")
        found.token, found.is_enabled = token, True

    def delete_endpoint(self, *, EndpointArn: str) -> None:  # noqa: N803
        processes.step()
        self.endpoints.pop(EndpointArn, None)

    def subscribe(self, *, TopicArn: str, Protocol: str, Endpoint: str) -> Any:  # noqa: N803
        processes.step()
        assert Protocol == "application"
        self._fail()
        if Endpoint not in self.endpoints:
            raise _refusal("InvalidParameter", "Reason: Endpoint does not exist for endpoint")
        for arn, subscribed in self.subscriptions.items():
            if subscribed == (TopicArn, Endpoint):
                return {"SubscriptionArn": arn}
        arn = f"{TopicArn}:{next(self._numbers)}"
        self.subscriptions[arn] = TopicArn, Endpoint
        return {"SubscriptionArn": arn}

    def unsubscribe(self, *, SubscriptionArn: str) -> None:  # noqa: N803
        processes.step()
        self.subscriptions.pop(SubscriptionArn, None)

    def publish(self, *, Message: str, TargetArn: str = "", TopicArn: str = "", **_: Any) -> None:  # noqa: N803
        processes.step()
        self._fail()
        shown = json.loads(json.loads(Message)["APNS"])
        if TargetArn:
            found = self._find(TargetArn)
            if not found.is_enabled:
                self.refusals += 1
                raise _refusal("EndpointDisabled")
            self.receive(found.token, shown)
        for topic, arn in self.subscriptions.values():
            endpoint = self.endpoints.get(arn)
            if topic == TopicArn and endpoint and endpoint.is_enabled:
                self.receive(endpoint.token, shown)

    def _find(self, arn: str) -> Endpoint:
        if arn not in self.endpoints:
            raise _refusal("NotFound")
        return self.endpoints[arn]

    def _fail(self) -> None:
        if self.faults:
            raise _refusal(self.faults.pop())


def _refusal(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message or code}}, "SNS")
