"""The commands for a deployed stack, as they are typed, with real clients."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import edge
from local.client import Api, Client
from local.emulator import STACK, Cloud
from ops import dead_letters
from tests.emulator.conftest import Connect, wait_until
from tests.emulator.test_clients import running
from tests.guide import pages
from vitrina import aws, config, connections, history, tasks
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()


def make(target: str, *variables: str) -> str:
    """Run `make TARGET` against the local cloud, being allowed what the documentation says.

    Returns the last line that it prints.
    """
    done = run(*by_make(target, *variables), **keys(target))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.replace("\r", "\n").splitlines()[-1]


def by_make(target: str, *variables: str) -> list[str]:
    # What this very process runs in is not made again.
    options = ("--no-print-directory", "-o", "build/venv.done")
    return ["make", *options, target, "STAGE=dev", *variables]


def region_only(environment: dict[str, str]) -> dict[str, str]:
    """Name the region as the pages do: in AWS_REGION, which botocore itself does not read."""
    return {k: v for k, v in environment.items() if k != "AWS_DEFAULT_REGION"}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input="a long password\n",
        env=region_only(os.environ | environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def keys(target: str) -> dict[str, str]:
    """Create a user who may do what `make TARGET` needs; return the keys as variables."""
    iam, name = boto3.client("iam"), f"ops{target}"
    allowed = [*actions("all of them"), *(actions(f"`make {target}`") if target else [])]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def actions(command: str) -> list[str]:
    """Read what a command needs from the documentation's table."""
    [needs] = re.findall(rf"^\| {command} \| (.*) \|$", PAGE, re.MULTILINE)
    return re.findall(r"`([a-z0-9-]+:[A-Za-z]+)`", needs)


def announce_to_nobody_yet() -> history.Span:
    """Commit an event that no function will post."""
    announcement = Announcement(to="user", title="Тест", text="Тест", admin_id=1)
    publication = history.commit([Change(None, [AnnouncementPublished(data=announcement)])])
    history.mark_sent([publication])
    [span] = publication.spans
    return span


def test_an_account_is_created(api: Api) -> None:
    created = make("account", "EMAIL=make@example.com", "TYPE=shop", "SHOP_ID=12", "SHOP_NAME=A B")
    assert created.endswith("make@example.com, shop")
    api.login("make@example.com", "a long password")


def test_the_edges_other_value_is_replaced_while_it_sends_the_first(cloud: Cloud, api: Api) -> None:
    before = edge.secret_value(cloud.outputs)
    said = make("new-edge-value")
    assert said == "Replaced `second`. In 5 minutes, deploy with edge_value=second."
    assert edge.secret_value(cloud.outputs) == before
    assert edge.secret_value(cloud.outputs | {"EdgeValue": "second"}) not in {"", before}
    assert api.call("GET", "/health")["status"] == "ok"


def test_what_no_worker_could_do_is_done_when_it_is_put_back(connect: Connect) -> None:
    client = connect("user")
    row = connections.find(client.frames[0].event["data"]["connection_id"])
    assert row
    queue = dead_letters.dead_letters_of(config.current().fanout_queue_url)
    seqs = []
    for _ in range(12):
        span = announce_to_nobody_yet()
        seqs.append(span.first)
        [task] = tasks.post_again(span, [row.subscription], attempt=6)
        aws.sqs().send_message(QueueUrl=queue, MessageBody=task.model_dump_json())
    assert make("replay-dead-letters") == "12 put back."
    assert [event["seq"] for event in client.wait_for_events(12)] == seqs
    assert make("replay-dead-letters") == "There are no dead letters."


def test_the_events_of_a_channel_are_printed_as_they_are_published(tmp_path: Path) -> None:
    def announce(title: str) -> None:
        data = Announcement(to="room:news", title=title, text="Тест", admin_id=1)
        publication = history.commit([Change(None, [AnnouncementPublished(data=data)])])
        history.mark_sent([publication])

    command = by_make("tail", "CHANNEL=room:news")
    announce("before")
    with running(tmp_path, *command, **keys("tail")) as printed:
        printed.wait_for('"title":"before"')
        announce("after")
        printed.wait_for('"title":"before"', '"title":"after"')
    [first, second] = map(json.loads, printed.text.splitlines()[-2:])
    assert (first["channel"], second["seq"]) == ("room:news", first["seq"] + 1)
    refused = run(*by_make("tail", "CHANNEL=rooms"), **keys("tail"))
    assert refused.returncode
    assert refused.stderr.startswith("CHANNEL: expected a type (user)")


def test_everyone_is_disconnected_comes_back_and_has_missed_nothing(
    api: Api, connect: Connect, tokens: dict[str, str], approve: Callable[..., Any], submit: Any
) -> None:
    wait_until(lambda: api.call("GET", "/ws/stats")["total"], 0)
    users, shop = [connect("user") for _ in range(5)], connect("shop")
    assert make("disconnect-all", "TYPE=user", "RATE=3") == "5 closed."
    for client in users:
        [closing] = client.wait_for("closing")
        assert closing.event["data"] == {"reason": "everyone_disconnected"}
        wait_until(partial(getattr, client, "is_closed"), wanted=True)
    assert not shop.is_closed
    approve(submit())
    url = api.websocket_url("user", tokens["user"])
    for client in users[:2]:
        with Client.connected(url, inbox=client.inbox) as back:
            [recovered] = back.wait_for("recovered")
            assert recovered.event["data"]["recovered"]
            assert len(back.wait_for_events(1)) == 1
    wait_until(lambda: api.call("GET", "/ws/stats")["total"], 1)
    assert make("disconnect-all") == "1 closed."
    shop.wait_for("closing")
    assert make("disconnect-all") == "0 closed."


COMMANDS = {
    "ops.account": ["a@example.com", "user"],
    "ops.dead_letters": [],
    "ops.disconnection": [],
}


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("module", COMMANDS)
def test_a_command_that_cannot_reach_its_stack_says_so_in_a_sentence(module: str) -> None:
    def error(stack: str, **environment: str) -> str:
        command = (sys.executable, "-m", module, *COMMANDS[module], "--stack", stack)
        done = run(*command, **environment)
        assert done.returncode == 1
        [sentence] = done.stderr.splitlines()
        return sentence

    assert "Vitrina-nowhere does not exist" in error("Vitrina-nowhere")
    assert "AccessDenied" in error(STACK, **keys(""))
    without = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": "/none"}
    assert "Unable to locate credentials" in error(STACK, **without)


def shell(*names: str, **environment: str) -> None:
    """Run the page's blocks below `<!-- run: NAME -->`, one after the other in one shell."""
    page = ROOT / "docs/operations.md"
    script = "\n".join(pages.block(page, "run", name) for name in ("setup", *names))
    stage = {"AWS_REGION": "us-east-1", "AWS_PAGER": "", "STAGE": "dev"}
    done = run("bash", "-euo", "pipefail", "-c", script, **stage, **environment)
    assert done.returncode == 0, done.stderr


has_command_line = pytest.mark.skipif(not shutil.which("aws"), reason="they use AWS's command line")


def test_the_outputs_of_a_stack_become_variables_of_a_shell(cloud: Cloud) -> None:
    script = 'eval "$(make outputs)" && echo "$STACK $HTTP_URL $WEBSOCKET_URL $PRODUCTS_TABLE"'
    done = run("bash", "-euc", script, AWS_REGION="us-east-1", STAGE="dev")
    assert (done.returncode, done.stderr) == (0, "")
    table = config.current().products_table
    assert done.stdout.split() == [STACK, cloud.http_url, cloud.websocket_url, table]


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("region", "environments"),
    [
        ("us-east-1", ["aws://000000000000/us-east-1"]),
        ("eu-west-1", ["aws://000000000000/eu-west-1", "aws://000000000000/us-east-1"]),
    ],
)
def test_bootstrap_names_the_region_and_the_one_of_the_firewall(
    region: str, environments: list[str]
) -> None:
    done = run(sys.executable, "-m", "ops.environments", AWS_REGION=region)
    assert done.stdout.split() == environments


@has_command_line
def test_a_table_is_restored_and_what_it_had_is_copied_back(
    api: Api, tokens: dict[str, str], submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    def status() -> Any:
        path = f"/api/v1/products/{product_id}"
        return api.call("GET", path, tokens["admin"])["moderation_status"]

    product_id = submit()
    shell("restore", UNTIL=f"{datetime.now(UTC):%FT%TZ}")
    approve(product_id)
    assert status() == "approved"
    shell("copy")
    assert status() == "pending"


@has_command_line
def test_with_a_new_history_clients_learn_of_it_and_go_on(
    api: Api, tokens: dict[str, str], submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    url = api.websocket_url("user", tokens["user"])
    with Client.connected(url) as client:
        approve(submit())
        client.wait_for_events(1)
        shell("new-history")
        make("disconnect-all")
        client.wait_for("closing")
    with Client.connected(url, inbox=client.inbox) as back:
        [recovered] = back.wait_for("recovered")
        assert not recovered.event["data"]["recovered"]
        assert "user" in back.inbox.refetches
        approve(submit())
        assert back.wait_for_events(2)[-1]["seq"] == 1
