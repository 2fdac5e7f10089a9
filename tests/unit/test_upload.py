"""The function that uploads the console, asked as CloudFormation asks it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from infra import upload
from infra.cdk.app import LOCAL_ARTIFACT
from infra.cdk.console import ARCHIVE

BUCKET = "console-files"

Ask = Callable[..., dict[str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the files, with one version of them."""
    monkeypatch.setattr(upload, "FOLDER", tmp_path)
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("first")
    (tmp_path / "assets/main-AAAAAAAA.js").write_text("first")
    return tmp_path


class FakeS3:
    """One bucket in memory, which is listed one object a page."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    def put_object(self, Bucket: str, Key: str, **more: Any) -> None:  # noqa: N803 - AWS's names
        if Bucket != BUCKET:
            raise LookupError(f"NoSuchBucket {Bucket}")
        self.objects[Key] = more

    def delete_object(self, Key: str, **_: str) -> None:  # noqa: N803
        del self.objects[Key]

    def get_paginator(self, _operation: str) -> "FakeS3":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key}]} for key in self.objects] or [{}]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    fake = FakeS3()
    monkeypatch.setattr(upload, "_s3", lambda: fake)
    return fake


@pytest.fixture
def ask(folder: Path, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a way to ask the function, which returns what it answers."""
    answers: list[dict[str, str]] = []
    monkeypatch.setattr(upload, "_answer", lambda _url, said: answers.append(said))

    def ask(request_type: str, **more: Any) -> dict[str, str]:
        event = {
            "RequestType": request_type,
            "ResponseURL": "https://cloudformation.example/answer",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Files",
            "ResourceProperties": {"Bucket": BUCKET},
        }
        upload.handler(event | more, None)
        return answers[-1]

    return ask


def publish_second_version(folder: Path) -> None:
    (folder / "index.html").write_text("second")
    (folder / "assets/main-AAAAAAAA.js").unlink()
    (folder / "assets/main-BBBBBBBB.js").write_text("second")


def test_files_are_uploaded_with_their_types_and_how_long_they_are_kept(
    ask: Ask, s3: FakeS3
) -> None:
    answer = ask("Create")
    assert answer["Status"] == "SUCCESS"
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Files",
    }
    found = {key: (each["ContentType"], each["CacheControl"]) for key, each in s3.objects.items()}
    assert found == {
        "console/index.html": ("text/html; charset=utf-8", "no-cache"),
        "console/assets/main-AAAAAAAA.js": (
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
    }


def test_the_page_is_uploaded_when_all_that_it_loads_is_there(folder: Path) -> None:
    (folder / "zoo.txt").write_text("x")
    assert upload.names()[-1] == "index.html"


def test_files_of_the_former_version_go_when_the_whole_stack_is_updated(
    ask: Ask, folder: Path, s3: FakeS3
) -> None:
    first = ask("Create")["PhysicalResourceId"]
    publish_second_version(folder)
    second = ask("Update", PhysicalResourceId=first)["PhysicalResourceId"]
    assert second != first
    both = {"console/assets/main-AAAAAAAA.js", "console/assets/main-BBBBBBBB.js"}
    assert both < s3.objects.keys()
    assert ask("Delete", PhysicalResourceId=first)["PhysicalResourceId"] == first
    assert s3.objects.keys() == {"console/index.html", "console/assets/main-BBBBBBBB.js"}


def test_the_same_files_are_the_same_version(ask: Ask) -> None:
    first = ask("Create")["PhysicalResourceId"]
    assert ask("Update", PhysicalResourceId=first)["PhysicalResourceId"] == first


def test_a_stack_that_is_deleted_leaves_an_empty_bucket(ask: Ask, s3: FakeS3) -> None:
    s3.objects["console/assets/main-00000000.js"] = {"Body": b"old"}
    version = ask("Create")["PhysicalResourceId"]
    assert ask("Delete", PhysicalResourceId=version)["Status"] == "SUCCESS"
    assert s3.objects == {}


def test_a_fault_is_told_so_that_the_stack_does_not_wait(ask: Ask) -> None:
    answer = ask("Create", ResourceProperties={"Bucket": "nowhere"})
    assert answer["Status"] == "FAILED"
    assert "NoSuchBucket" in answer["Reason"]
    assert answer["PhysicalResourceId"] == upload.digest()


def test_the_answer_is_put_where_cloudformation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its URL is signed for an empty content type."""
    sent = []

    class Response:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    def urlopen(request: Any, timeout: float) -> Response:
        sent.append(request)
        return Response()

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    upload._answer("https://cloudformation.example/answer", {"Status": "SUCCESS"})
    [request] = sent
    assert (request.method, request.full_url) == ("PUT", "https://cloudformation.example/answer")
    assert request.get_header("Content-type") == ""
    assert json.loads(request.data) == {"Status": "SUCCESS"}


def test_every_file_of_the_archive_has_a_type_and_those_that_are_kept_have_a_hash() -> None:
    with ZipFile(LOCAL_ARTIFACT.with_name(ARCHIVE)) as archive:
        names = {name.removeprefix("console/") for name in archive.namelist()}
    names.remove("upload.py")
    assert "index.html" in names
    assert {Path(name).suffix for name in names} <= upload.TYPES.keys()
    for name in names:
        if name.startswith(upload.HASHED):
            assert len(Path(name).stem.rpartition("-")[2]) >= 8
