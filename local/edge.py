"""The local counterpart of CloudFront: one host in front of both APIs and of the console.

It tells the APIs what CloudFront tells them: the stack's secret, the client's host and address.
Upgrades of `/ws/{type}` go to the WebSocket API as `?client_type={type}`, because API Gateway
refuses a path after the stage; other requests go to the HTTP API. It also does what the local cloud
lacks of API Gateway: it answers `ping` and preflights, and an offered subprotocol.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from io import BytesIO
from typing import Any
from urllib.parse import unquote_plus

import boto3
from aiohttp import (
    ClientError,
    ClientSession,
    ClientWebSocketResponse,
    TCPConnector,
    WSMessage,
    WSMsgType,
    web,
)
from aiohttp.client_exceptions import WSServerHandshakeError
from botocore.config import Config
from yarl import URL

from harness import gateway_events, server_thread
from local import console
from vitrina import aws
from vitrina.door import SECRET_HEADER, VIEWER_HEADER
from vitrina.events import Pong
from vitrina.origins import EDGE_HOST_HEADER
from vitrina.websocket_api import BEARER

# API Gateway's limits.
MAX_MESSAGE_BYTES = 128 * 1024
MAX_REQUEST_BYTES = 10 * 1024 * 1024
HANDSHAKE_HEADERS = ("Authorization", "Origin", "User-Agent")
# Headers of a single connection (RFC 9110, section 7.6.1), and those that are generated again.
HOP_BY_HOP = {
    *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
    *("host", "content-length"),
}

PONG = Pong().body().decode()

_WEBSOCKET_PATH = re.compile(r"/ws/(user|shop|admin)/?")

Socket = web.WebSocketResponse | ClientWebSocketResponse


def websocket_query(path: str, query: str) -> str | None:
    """Return the query for the WebSocket API, or None if the path is not a WebSocket's.

    Path and query are as sent, percent-encoded or not. The type in the path replaces any
    `client_type` in the query; the rest does not change. infra/cdk/edge_websocket.js does the same.
    """
    matched = _WEBSOCKET_PATH.fullmatch(path)
    if not matched:
        return None
    kept = [part for part in query.split("&") if part and not _names_type(part)]
    return "&".join([f"client_type={matched[1]}", *kept])


def _names_type(part: str) -> bool:
    return unquote_plus(part.partition("=")[0]) == "client_type"


@contextmanager
def running(outputs: Mapping[str, str], port: int = 0, host: str = "localhost") -> Iterator[str]:
    """Serve a stack in a thread until the end of the block; yield the URL.

    `outputs` are the stack's. `host` is the name or the address to listen on: only this machine's
    programs reach `localhost`. Port 0 is any free port. Raises OSError if the port is taken.
    """
    # Of another local cloud that this process has used.
    _client.cache_clear()
    function.cache_clear()
    edge = _Edge(outputs, secret_value(outputs))
    with server_thread.running(partial(edge.start, host, port), edge.stop) as found:
        yield f"http://{host}:{found}"


def secret_value(outputs: Mapping[str, str]) -> str:
    """Return what the edge of a stack sends."""
    found = _client("secretsmanager").get_secret_value(SecretId=outputs["EdgeSecret"])
    return str(json.loads(found["SecretString"])[outputs["EdgeValue"]])


class _Edge:
    def __init__(self, outputs: Mapping[str, str], secret: str) -> None:
        self._websocket_url = outputs["WebSocketUrl"]
        self._http_url = outputs["HttpUrl"]
        self._console_bucket = outputs.get("ConsoleBucket")
        self._secret = secret

    async def start(self, host: str, port: int) -> int:
        """Listen on every address of a host; return the port."""
        # Each WebSocket needs its own connection; the default limit is a hundred.
        self._session = ClientSession(auto_decompress=False, connector=TCPConnector(limit=0))
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._forward)
        # Compressed bodies go on as they came: API Gateway does not read them.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1, auto_decompress=False
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self.stop()
            raise
        found: int = self._runner.addresses[0][1]
        return found

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            path, _, sent = request.raw_path.partition("?")
            query = websocket_query(path, sent)
            if query is not None:
                return await self._forward_websocket(request, query)
        if self._console_bucket and console.has(request.path):
            s3 = _client("s3")
            return await asyncio.to_thread(console.respond, s3, self._console_bucket, request)
        if request.method == "OPTIONS":
            return await asyncio.to_thread(_answer_preflight, request, self._says(request))
        return await self._forward_http(request)

    def _says(self, request: web.Request) -> dict[str, str]:
        """Return the headers of the edge's own, which replace those of a client."""
        return {SECRET_HEADER: self._secret, VIEWER_HEADER: request.remote or ""}

    async def _forward_websocket(self, request: web.Request, query: str) -> web.StreamResponse:
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = [name.strip() for name in offered.split(",") if name.strip()]
        try:
            upstream = await self._session.ws_connect(
                URL(f"{self._websocket_url}?{query}", encoded=True),
                headers={
                    **{k: v for k, v in request.headers.items() if k in HANDSHAKE_HEADERS},
                    **self._says(request),
                    EDGE_HOST_HEADER: request.host,
                    "X-Forwarded-Proto": request.scheme,
                },
                protocols=protocols,
                max_msg_size=MAX_MESSAGE_BYTES,
            )
        except WSServerHandshakeError as refused:
            return web.Response(status=refused.status)
        except ClientError:
            return web.json_response({"message": "Bad Gateway"}, status=502)
        # The local cloud ignores the subprotocol in the response of $connect.
        echoed = [BEARER] if protocols[:1] == [BEARER] else []
        client = web.WebSocketResponse(
            protocols=echoed, compress=False, max_msg_size=MAX_MESSAGE_BYTES
        )
        await client.prepare(request)
        await _join(client, upstream)
        return client

    async def _forward_http(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.json_response({"message": "Request Entity Too Large"}, status=413)
        try:
            async with self._session.request(
                request.method,
                URL(self._http_url + request.raw_path, encoded=True),
                headers=_replaced(_end_to_end(request.headers.items()), self._says(request)),
                data=BytesIO(body) if body else None,
                allow_redirects=False,
                skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
            ) as upstream:
                return web.Response(
                    status=upstream.status,
                    headers=_end_to_end(upstream.headers.items()),
                    body=await upstream.read(),
                )
        except ClientError:
            return web.json_response({"message": "Bad Gateway"}, status=502)


def _answer_preflight(request: web.Request, says: Mapping[str, str]) -> web.Response:
    """Invoke the function of the `$default` route, as AWS does.

    The local cloud answers OPTIONS itself, from a configuration that the API does not have.
    """
    headers = {name.lower(): value for name, value in request.headers.items()} | {**says}
    event = gateway_events.http(request.method, request.path, headers=headers)
    done = _client("lambda").invoke(FunctionName=function("openapi"), Payload=json.dumps(event))
    answer = json.load(done["Payload"])
    return web.Response(status=answer["statusCode"], headers=answer["headers"])


@cache
def function(folder: str) -> str:
    """Return the name that the local cloud has for the function of a folder of `functions/`."""
    pages = _client("lambda").get_paginator("list_functions").paginate()
    [name] = [
        str(each["FunctionName"])
        for page in pages
        for each in page["Functions"]
        if each["Handler"] == f"functions.{folder}.handler.handler"
    ]
    return name


@cache
def _client(service: str) -> Any:
    # With the local cloud's own keys: this process may have fewer permissions.
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=aws.region(),
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret
        # The local cloud has no host for each bucket.
        config=Config(s3={"addressing_style": "path"}),
    )


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]


def _replaced(
    headers: Iterable[tuple[str, str]], others: Mapping[str, str]
) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in headers if name.lower() not in others]
    return [*kept, *others.items()]


async def _join(client: web.WebSocketResponse, upstream: ClientWebSocketResponse) -> None:
    """Forward messages both ways until one side closes; then close the other."""
    ways = {
        asyncio.create_task(_carry_messages(client, upstream)),
        asyncio.create_task(_carry(upstream, client)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await upstream.close(code=client.close_code or 1000)
        await client.close(code=upstream.close_code or 1000)


async def _carry_messages(client: web.WebSocketResponse, upstream: ClientWebSocketResponse) -> None:
    """Forward what a client sends, but answer `ping` as the route of API Gateway does."""
    async for message in client:
        if message.type is WSMsgType.TEXT and is_ping(message.data):
            await client.send_str(PONG)
        else:
            await _forward(message, upstream)


def is_ping(text: str) -> bool:
    """Return whether API Gateway selects its route `ping` for a message, whatever else is in it."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and message.get("type") == "ping"


async def _carry(source: Socket, sink: Socket) -> None:
    async for message in source:
        await _forward(message, sink)


async def _forward(message: WSMessage, sink: Socket) -> None:
    if message.type is WSMsgType.TEXT:
        await sink.send_str(message.data)
    elif message.type is WSMsgType.BINARY:
        await sink.send_bytes(message.data)
