"""boto3's post_to_connection, in one thread per concurrent post; one thread is sequential."""

from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

from bench.clients import load


def connect(url: str, at_once: int) -> load.PostAll:
    config = Config(max_pool_connections=at_once, retries={"total_max_attempts": 1})
    client = boto3.client("apigatewaymanagementapi", endpoint_url=url, config=config)
    threads = ThreadPoolExecutor(at_once)

    def post(connection: str) -> None:
        answer = client.post_to_connection(ConnectionId=connection, Data=load.BODY)
        load.check(answer["ResponseMetadata"]["HTTPStatusCode"])

    def post_one_by_one(connections: list[str]) -> None:
        for connection in connections:
            post(connection)

    def post_in_threads(connections: list[str]) -> None:
        for _ in threads.map(post, connections):
            pass

    return post_one_by_one if at_once == 1 else post_in_threads


if __name__ == "__main__":
    load.run(connect)
