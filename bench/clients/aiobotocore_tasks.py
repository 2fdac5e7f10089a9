"""aiobotocore's post_to_connection, in one task per concurrent post."""

import asyncio
from collections.abc import Iterator

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from bench.clients import load


def connect(url: str, at_once: int) -> load.PostAll:
    loop = asyncio.new_event_loop()
    config = AioConfig(max_pool_connections=at_once, retries={"total_max_attempts": 1})
    opening = get_session().create_client(
        "apigatewaymanagementapi", endpoint_url=url, config=config
    )
    client = loop.run_until_complete(opening.__aenter__())

    async def post_each(connections: Iterator[str]) -> None:
        for connection in connections:
            answer = await client.post_to_connection(ConnectionId=connection, Data=load.BODY)
            load.check(answer["ResponseMetadata"]["HTTPStatusCode"])

    async def post_in_tasks(connections: list[str]) -> None:
        shared = iter(connections)
        await asyncio.gather(*(post_each(shared) for _ in range(at_once)))

    return lambda connections: loop.run_until_complete(post_in_tasks(connections))


if __name__ == "__main__":
    load.run(connect)
