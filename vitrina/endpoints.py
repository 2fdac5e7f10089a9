"""SNS's side of devices: platform endpoints, topics, and what is published to them."""

import re
from enum import StrEnum
from typing import Any

from pydantic_core import to_json

from vitrina import aws, config
from vitrina.aws import ServiceError
from vitrina.channels import ClientType
from vitrina.errors import Invalid, NotFound, Unavailable
from vitrina.notices import Shown


class Platform(StrEnum):
    APNS = "apns"
    APNS_SANDBOX = "apns_sandbox"
    FCM = "fcm"

    @property
    def key(self) -> str:
        """SNS's name, in ARNs and messages."""
        return "GCM" if self is Platform.FCM else self.upper()


# SNS's refusal to create what the token has already, with other attributes.
_EXISTING = re.compile(r"Endpoint (arn:aws[a-z-]*:sns:\S+) already exists with the same [Tt]oken")
_INVALID = "InvalidParameter"
_NOT_FOUND = "NotFound"
# It was deleted, or the platform has said that its token is not valid any more.
_GONE = {"EndpointDisabled", _NOT_FOUND}
# An operator has to act; another try would fail too.
_DEFECTS = {
    *("AuthorizationError", "AccessDenied", "AccessDeniedException"),
    *(_INVALID, "PlatformApplicationDisabled"),
}


def is_on() -> bool:
    """Return whether the deployment has a platform application."""
    return bool(config.current().push_apps)


def require_on() -> None:
    """Raise NotFound `push_off` without a platform application."""
    if not is_on():
        raise NotFound("push_off", "This deployment has no push notifications.")


def settle(platform: Platform, token: str, stored: str | None) -> str:
    """Return the ARN of the enabled endpoint of a token; `stored` is the device's last one.

    The flow that AWS recommends: create, read, repair. It may be repeated at every start of an app.
    Raises NotFound `push_off`, Invalid `request_invalid` or Unavailable `busy`.
    """
    try:
        return _settle(_app_of(platform), token, stored)
    except aws.FAILURES as failure:
        # Its text may have the token.
        if _code(failure) == _INVALID:
            raise Invalid("request_invalid", f"This is no token of {platform}.") from None
        if is_defect(failure):
            raise RuntimeError(f"SNS: {_code(failure)}") from None
        raise _busy() from None


def _settle(app: str, token: str, stored: str | None) -> str:
    endpoint = stored if stored and _is_of(stored, app) else _create(app, token)
    attributes = _attributes(endpoint)
    if attributes is None:
        endpoint = _create(app, token)
        attributes = _attributes(endpoint) or {}
    is_enabled = attributes.get("Enabled", "").lower() == "true"
    if is_enabled and attributes.get("Token") == token:
        return endpoint
    try:
        _mend(endpoint, token)
    except ServiceError as refused:
        # Another endpoint has the token: that of the account which used this phone before.
        if _code(refused) != _INVALID:
            raise
        endpoint = _create(app, token)
        _mend(endpoint, token)
    return endpoint


def _create(app: str, token: str) -> str:
    try:
        created = aws.sns().create_platform_endpoint(PlatformApplicationArn=app, Token=token)
    except ServiceError as refused:
        if found := _EXISTING.search(str(refused)):
            return found[1]
        raise
    return str(created["EndpointArn"])


def _attributes(endpoint: str) -> dict[str, str] | None:
    try:
        found: dict[str, str] = aws.sns().get_endpoint_attributes(EndpointArn=endpoint)[
            "Attributes"
        ]
    except ServiceError as refused:
        if _code(refused) == _NOT_FOUND:
            return None
        raise
    return found


def _mend(endpoint: str, token: str) -> None:
    aws.sns().set_endpoint_attributes(
        EndpointArn=endpoint, Attributes={"Token": token, "Enabled": "true"}
    )


def delete(endpoint: str) -> None:
    """Delete an endpoint, if it exists."""
    aws.sns().delete_endpoint(EndpointArn=endpoint)


def subscribe(client_type: ClientType, endpoint: str) -> str | None:
    """Subscribe an endpoint to its type's topic; return the subscription.

    None if SNS is busy, or does not know the endpoint: the device is notified by itself then, and
    forgotten if it is gone.
    """
    try:
        return _subscribe(client_type, endpoint)
    except aws.FAILURES as failure:
        if is_defect(failure):
            raise
        return None


def leave(client_type: ClientType, endpoint: str, subscription: str | None) -> None:
    """End the subscription of an endpoint to its type's topic, also one that is not known.

    Raises Unavailable `busy`.
    """
    try:
        # SNS has one of each endpoint, and subscribing again returns it.
        if found := subscription or _subscribe(client_type, endpoint):
            unsubscribe(found)
    except aws.FAILURES as failure:
        if is_defect(failure):
            raise
        raise _busy() from failure


def _subscribe(client_type: ClientType, endpoint: str) -> str | None:
    try:
        subscribed = aws.sns().subscribe(
            TopicArn=_topic_of(client_type), Protocol="application", Endpoint=endpoint
        )
    except ServiceError as refused:
        if _code(refused) == _INVALID and "Endpoint does not exist" in str(refused):
            return None
        raise
    return str(subscribed["SubscriptionArn"])


def unsubscribe(subscription: str) -> None:
    """End a subscription, if there is one."""
    try:
        aws.sns().unsubscribe(SubscriptionArn=subscription)
    except ServiceError as refused:
        if _code(refused) not in (_NOT_FOUND, _INVALID):
            raise


def publish(endpoint: str, shown: Shown) -> bool:
    """Publish to an endpoint; return whether it still takes anything.

    Raises one of `aws.FAILURES`.
    """
    [_, platform, *_] = endpoint.split("/")
    try:
        aws.sns().publish(TargetArn=endpoint, **_message(shown, [platform]))
    except ServiceError as refused:
        # SNS calls an endpoint that was deleted an invalid parameter, by the parameter's name.
        is_unknown = _code(refused) == _INVALID and "TargetArn" in str(refused)
        if _code(refused) in _GONE or is_unknown:
            return False
        raise
    return True


def publish_to_all(client_type: ClientType, shown: Shown) -> None:
    """Publish to the topic of a client type."""
    keys = [platform.key for platform in Platform]
    aws.sns().publish(TopicArn=_topic_of(client_type), **_message(shown, keys))


def is_defect(failure: Exception) -> bool:
    """Return whether another try would fail too, until an operator acts."""
    return _code(failure) in _DEFECTS


def _message(shown: Shown, platforms: list[str]) -> dict[str, Any]:
    """Return a message; a repeat of it replaces the first one on the phone."""
    apns = {
        "aps": {"alert": {"title": shown.title, "body": shown.text}, "sound": "default"},
        **shown.data,
    }
    fcm = {
        "notification": {"title": shown.title, "body": shown.text},
        "data": shown.data,
        "android": {"collapse_key": shown.id, "notification": {"tag": shown.id}},
    }
    bodies = {"GCM": {"fcmV1Message": {"message": fcm}}}
    texts = {each: to_json(bodies.get(each, apns)).decode() for each in platforms}
    attributes = {"COLLAPSE_ID": shown.id, "PUSH_TYPE": "alert", "PRIORITY": "10"}
    return {
        "MessageStructure": "json",
        "Message": to_json({"default": shown.text, **texts}).decode(),
        "MessageAttributes": {
            f"AWS.SNS.MOBILE.APNS.{name}": {"DataType": "String", "StringValue": text}
            for name, text in attributes.items()
        },
    }


def _busy() -> Unavailable:
    return Unavailable("busy", "The notification service is busy; try again.")


def _app_of(platform: Platform) -> str:
    for app in config.current().push_apps:
        if app.split("/")[1] == platform.key:
            return app
    raise NotFound("push_off", f"This deployment has no push notifications by {platform}.")


def _is_of(endpoint: str, app: str) -> bool:
    """Return whether an endpoint is of an application, by their ARNs."""
    return endpoint.startswith(app.replace(":app/", ":endpoint/") + "/")


def _topic_of(client_type: ClientType) -> str:
    return f"{config.current().push_topics}{client_type}"


def _code(failure: Exception) -> str:
    return failure.response["Error"]["Code"] if isinstance(failure, ServiceError) else ""
