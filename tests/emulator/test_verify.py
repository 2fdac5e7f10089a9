"""`make verify` on a deployed stack: what it says, and what it leaves."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.client import Api
from local.emulator import STACK, Cloud
from local.progress import Progress
from ops.verify import footprint, frames, run
from ops.verify.check import Check
from ops.verify.site import TOKEN, Site
from ops.verify.table import CHECKS
from ops.verify.verdict import Outcome, judge
from tests.emulator.conftest import wait_until
from tests.emulator.mutations import MUTATIONS
from tests.emulator.test_operations import by_make, keys, region_only
from tests.emulator.test_operations import run as run_command
from vitrina import aws, config

ROOT = Path(__file__).parents[2]
SIGNALED = {signal.SIGINT: 130, signal.SIGTERM: 143}
# What stays: numbers must never repeat, and counts of tries and rows of closed connections expire.
KEPT = re.compile(r"last_\w+_id|(login|devices|connection)#.*")
HEADS = ("user", "shop", "admin")


def rows() -> set[tuple[str, ...]]:
    """Return the keys of all tables, without numbers, counts and the heads of shared channels."""
    here, found = config.current(), set()
    for table, names in {
        here.connections_table: ("partition", "member"),
        here.products_table: ("product_id",),
        here.accounts_table: ("email",),
        here.platform_table: ("name",),
        here.history_table: ("channel", "seq"),
    }.items():
        pages = aws.dynamodb().get_paginator("scan").paginate(TableName=table)
        for row in (aws.from_item(item) for page in pages for item in page["Items"]):
            key = tuple(str(row[name]) for name in names)
            if not KEPT.fullmatch(key[0]) and key not in {(head, "0") for head in HEADS}:
                found.add((table, *key))
    return found


@pytest.fixture
def before(api: Api) -> set[tuple[str, ...]]:
    """Return what is stored, when everyone of the other tests has gone."""
    wait_until(lambda: api.call("GET", "/ws/stats")["total"], 0)
    return rows()


def test_a_healthy_stack_passes_and_nothing_is_left(before: set[tuple[str, ...]]) -> None:
    done = run_command(*by_make("verify"), **keys("verify"))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert rows() <= before
    document = json.loads((ROOT / "build/verify-dev.json").read_text())
    assert [each["check"] for each in document["checks"]] == [check.name for check in CHECKS]
    skipped = {each["check"] for each in document["checks"] if each["verdict"] == "skipped"}
    assert skipped == {check.name for check in CHECKS if check.not_local}
    assert {each["verdict"] for each in document["checks"]} == {"ok", "skipped"}
    assert document["left_behind"] == []
    table = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "skipped "))]
    assert len(table) == len(CHECKS)
    for text in (done.stdout, json.dumps(document)):
        assert not TOKEN.search(text)
        assert "password_hash" not in text


@pytest.fixture(scope="module")
def site(cloud: Cloud, url: str) -> Iterator[Site]:
    """Return the deployed stack for a run, with its accounts, and remove them at the end."""
    made = run.site(STACK, cloud.outputs | {"EdgeUrl": url}, is_local=True, everyone=True)
    run._prepare(made, Progress())
    yield made
    assert run._clean_up(made, []) == []
    assert run._clean_up(made, []) == []  # once more is the same


def of_aws(check: Check) -> Check:
    """Return a check as it runs on AWS, where the conditions of other stages are met."""
    return check._replace(not_local="", needs=())


def name(check: Check) -> str:
    return check.name.partition(" ")[0]


def test_every_check_has_its_mutation_and_every_mutation_its_check() -> None:
    assert {name(check) for check in CHECKS} == MUTATIONS.keys()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_fault_makes_its_line_fail(
    site: Site, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault reaches the check that runs, and no other: each runs by itself, with its own fault.

    Without the fault it succeeds, also on AWS as its doubles answer.
    """
    monkeypatch.setattr(frames, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(frames, "SETTLE_SECONDS_ON_AWS", 0.05)
    mutation = MUTATIONS[name(check)]
    if check.not_local:
        assert mutation.healthy
        site = replace(site, is_local=False)
        mutation.healthy(monkeypatch)
        healthy = judge(of_aws(check), site, [])
        assert healthy.outcome is Outcome.OK, healthy
    mutation.broken(monkeypatch)
    verdict = judge(of_aws(check), site, [])
    assert verdict.outcome is Outcome.FAILED, verdict


@pytest.mark.parametrize("number", SIGNALED)
def test_an_interrupted_run_leaves_nothing(
    before: set[tuple[str, ...]], number: signal.Signals
) -> None:
    program = (
        "import sys\n"
        "from ops.verify.__main__ import main\n"
        "from ops.verify.table import CHECKS\n"
        "wanted = [each for each in CHECKS if each.name == 'delivery.of_approvals']\n"
        "sys.exit(main(['--stage', 'dev'], wanted))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=region_only(dict(os.environ)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        wait_until(lambda: len(_events(rows() - before)) > 5, wanted=True)
        running.send_signal(number)
        said, _ = running.communicate(timeout=60)
    assert running.returncode == SIGNALED[number], said
    assert "nothing left behind" in said
    # Rows of earlier tests may go meanwhile.
    assert rows() <= before


def _events(found: set[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [row for row in found if row[0] == config.current().history_table]


def test_what_cannot_be_removed_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(footprint, "_delete", refuse)
    left = site.footprint.remove()
    assert any(
        f"products of shop {site.footprint.cast.shop_id}: PermissionError: no" in each
        for each in left
    )
    for person in site.footprint.cast.people.values():
        assert any(person.email in each for each in left if each.startswith("accounts"))
