"""How much of the account each door may take: throttles, and executions of its own."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.cdk import app, stages
from infra.cdk.app import LOCAL_ARTIFACT
from infra.cdk.functions import FUNCTIONS
from infra.cdk.http_api import HTTP_ROUTES, OTHER_ROUTES
from infra.cdk.stages import RATE_SHARES
from infra.cdk.websocket_api import WEBSOCKET_ROUTES
from tests.infra.conftest import resources, synthesise
from vitrina.connections import MAX_HANDSHAKE_SECONDS

ACCOUNT_RATE = 10_000


def choose(**context: Any) -> stages.Stage:
    return stages.choose(context.get)


# --- Throttles ------------------------------------------------------------------------------------


def stages_of(template: Template) -> dict[str, Any]:
    """Return the APIs' stages by their names, `ws` and `$default`."""
    found = resources(template, "AWS::ApiGatewayV2::Stage").values()
    return {each["Properties"]["StageName"]: each for each in found}


def throttle(rate: int, burst: int) -> dict[str, int]:
    return {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}


def test_each_stage_has_a_default_and_some_routes_their_own(template: Template) -> None:
    found = {name: each["Properties"] for name, each in stages_of(template).items()}
    assert {name: each["DefaultRouteSettings"] for name, each in found.items()} == {
        "ws": throttle(1000, 500),
        "$default": throttle(1000, 500),
    }
    assert found["ws"]["RouteSettings"] == {"ping": throttle(2000, 1000)}
    assert found["$default"]["RouteSettings"] == {
        "POST /api/v1/auth/login": throttle(100, 100),
        "GET /ws/stats": throttle(100, 100),
        "HEAD /ws/stats": throttle(100, 100),
        "GET /health": throttle(100, 100),
        "HEAD /health": throttle(100, 100),
    }


def test_no_route_may_take_more_than_a_fifth_of_the_accounts_rate(template: Template) -> None:
    for stage in stages_of(template).values():
        properties = stage["Properties"]
        settings = [properties["DefaultRouteSettings"], *properties["RouteSettings"].values()]
        assert all(0 < each["ThrottlingRateLimit"] <= ACCOUNT_RATE / 5 for each in settings)


def test_a_route_exists_before_it_is_throttled(template: Template) -> None:
    routes = resources(template, "AWS::ApiGatewayV2::Route")
    for stage in stages_of(template).values():
        first = {
            routes[name]["Properties"]["RouteKey"] for name in stage["DependsOn"] if name in routes
        }
        assert first == stage["Properties"]["RouteSettings"].keys()


def test_the_local_cloud_has_no_route_of_its_own_for_pings(local_template: Template) -> None:
    assert "RouteSettings" not in stages_of(local_template)["ws"]["Properties"]
    assert "DefaultRouteSettings" in stages_of(local_template)["ws"]["Properties"]


def test_an_account_of_a_newer_region_has_smaller_rates() -> None:
    stage = choose(account_requests_per_second=2500, posts_per_second=2500)
    assert {name: stage.throttle(name) for name in RATE_SHARES} == {
        "websocket_requests_per_second": (250, 125),
        "pings_per_second": (500, 250),
        "http_requests_per_second": (250, 125),
        "stats_per_second": (25, 100),
    }
    assert choose(pings_per_second=300).throttle("pings_per_second") == (300, 150)


@pytest.mark.parametrize("name", [*RATE_SHARES, "logins_per_second"])
def test_a_rate_above_a_fifth_is_refused(name: str) -> None:
    assert choose(**{name: 2000}).throttle(name).rate == 2000
    sentence = (
        f"{name} is 2001, and one route may have a fifth of account_requests_per_second: at most"
        " 2000"
    )
    with pytest.raises(ValueError, match=sentence):
        choose(**{name: 2001})


def test_posts_are_a_part_of_the_accounts_rate() -> None:
    with pytest.raises(ValueError, match=r"posts_per_second is 10000, and account_.* only 2500"):
        choose(account_requests_per_second=2500)


# --- Executions of their own ----------------------------------------------------------------------


def reservations(template: Template) -> dict[str, int]:
    found = [f["Properties"] for f in resources(template, "AWS::Lambda::Function").values()]
    return {
        properties["Handler"].split(".")[1]: properties["ReservedConcurrentExecutions"]
        for properties in found
        if "ReservedConcurrentExecutions" in properties
    }


def test_nothing_is_reserved_unless_it_is_known_what_there_is(template: Template) -> None:
    assert reservations(template) == {}
    [note] = choose().notes()
    assert note.startswith("lambda_concurrency is 0")
    assert choose(lambda_concurrency=1000).notes() == []


def test_with_a_thousand_every_door_has_its_own_and_fanout_its_workers() -> None:
    found = reservations(synthesise(None, lambda_concurrency="1000"))
    assert found == {
        "connect": 200,
        "message": 50,
        "disconnect": 100,
        "products": 150,
        "login": 30,
        "sessions": 50,
        "devices": 20,
        "events": 50,
        "settings": 10,
        "stats": 10,
        "openapi": 10,
        "approve": 30,
        "greet": 40,
        "fanout": 7,
        "sweep": 2,
    }
    assert sum(found.values()) <= 1000 - 100


def test_clients_meet_functions_with_executions_of_their_own() -> None:
    doors = {
        *WEBSOCKET_ROUTES.values(),
        OTHER_ROUTES,
        *(name for route, name in HTTP_ROUTES.items() if "/admin/" not in route),
    }
    shared = {name for name, needs in FUNCTIONS.items() if not needs.reserved_concurrency}
    assert doors & shared == set()
    assert shared == {"reject", "announce", "accounts", "push"}


@pytest.mark.parametrize(("concurrency", "left"), [(10, 0), (199, 99), (858, 758)])
def test_more_than_the_account_has_is_refused(concurrency: int, left: int) -> None:
    sentence = (
        f"the functions reserve 759 executions, and of lambda_concurrency {concurrency} they may "
        f"reserve {left}"
    )
    with pytest.raises(ValueError, match=sentence):
        choose(lambda_concurrency=concurrency)
    assert choose(lambda_concurrency=859).reserved("fanout") == 7


def test_an_account_with_little_can_reserve_less() -> None:
    less = dict.fromkeys(
        (name for name in FUNCTIONS if choose(lambda_concurrency=859).reserved(name)), 7
    )
    assert (
        choose(lambda_concurrency=205, prod={"reserved_concurrency": less}).reserved("login") == 7
    )


def test_a_queue_that_starts_more_workers_than_there_are_is_refused() -> None:
    few = {"lambda_concurrency": 1000, "reserved_concurrency": {"fanout": 4}}
    with pytest.raises(
        ValueError, match="fanout has 4, and its queues start 7 at once, 2 of them for retries"
    ):
        choose(prod=few)
    assert choose(lambda_concurrency=1000, fanout_workers=40).reserved("fanout") == 42


def test_every_queue_starts_at_most_as_many_as_its_function_has() -> None:
    template = synthesise(None, lambda_concurrency="1000", fanout_workers="40")
    functions = resources(template, "AWS::Lambda::Function")
    workers: dict[str, int] = {}
    for mapping in resources(template, "AWS::Lambda::EventSourceMapping").values():
        if scaling := mapping["Properties"].get("ScalingConfig"):
            name = mapping["Properties"]["FunctionName"]["Ref"]
            workers[name] = workers.get(name, 0) + scaling["MaximumConcurrency"]
    [(name, count)] = workers.items()
    assert count == functions[name]["Properties"]["ReservedConcurrentExecutions"] == 42


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"aprove": 5}, "there is no function aprove"),
        ({"approve": 0}, "greater than or equal to 1"),
    ],
    ids=str,
)
def test_a_wrong_reservation_is_named(wrong: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        choose(lambda_concurrency=1000, prod={"reserved_concurrency": wrong})


def test_the_app_says_that_nothing_is_reserved_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = {"artifact": str(LOCAL_ARTIFACT), "stage": "dev"}
    app.synthesise(cdk.App(outdir=str(tmp_path), context=context))
    assert capsys.readouterr().err == f"{stages.NOTHING_RESERVED}\n"
    assert (tmp_path / "Vitrina-dev.template.json").exists()


def test_what_connect_has_half_stored_is_forgotten_only_after_it_has_ended() -> None:
    assert FUNCTIONS["connect"].timeout_seconds + 1 < MAX_HANDSHAKE_SECONDS
