"""What may import what, and what may not be computed while a test module is imported."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERS = {
    "vitrina": set[str](),
    "functions": {"vitrina"},
    "infra": {"vitrina"},
    "ops": {"infra", "local", "vitrina"},
    "reference": {"vitrina"},
    "harness": {"infra", "vitrina"},
    "local": {"harness", "infra", "vitrina"},
    "fuzz": {"harness", "vitrina"},
    "bench": {"harness", "infra", "local", "ops", "reference", "vitrina"},
}
SOURCES = [path for package in LAYERS for path in (ROOT / package).rglob("*.py")]
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}

CLOCKS = {"time", "time_ns", "monotonic", "perf_counter", "now", "utcnow", "today", "issue"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)


def test_no_package_imports_one_above_it() -> None:
    upwards = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        for name in imported(parsed(path))
        if name.partition(".")[0] in {*LAYERS, "tests"}
        and name.partition(".")[0]
        not in LAYERS[module.partition(".")[0]] | {module.partition(".")[0]}
    }
    assert upwards == set()


def test_no_module_imports_itself_through_others() -> None:
    graph = {
        module: [name for name in imported(parsed(path)) if name in MODULES]
        for module, path in MODULES.items()
    }
    TopologicalSorter(graph).prepare()


def test_the_type_checker_reads_every_service_of_the_cdk_that_is_used() -> None:
    """Types of the others are not known, and then mypy accepts anything."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    [read] = [each["module"] for each in overrides if each.get("follow_imports") == "normal"]
    used = {
        ".".join(name.split(".")[:2])
        for folder in ("infra", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(ast.parse(path.read_text()))
        if name.startswith(("aws_cdk.aws_", "aws_cdk.assertions"))
    }
    assert used
    assert used <= {*read}


# --- The clock ---


def runs_at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what is evaluated on import: also decorators, defaults and the bodies of classes."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from (*statement.decorator_list, *statement.args.defaults)
                yield from (default for default in statement.args.kw_defaults if default)
            case ast.ClassDef():
                yield from (*statement.decorator_list, *runs_at_import(statement.body))
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                pass
            case _:
                yield statement


def called(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Yield the names of the functions that are called, but for those in lambdas."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            function = node.func
            yield (
                function.attr
                if isinstance(function, ast.Attribute)
                else getattr(function, "id", "")
            )
        if not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def test_nothing_is_computed_from_the_clock_when_a_test_module_is_imported() -> None:
    """Such a value is old when its test runs: the suite may take an hour."""
    folders = ("tests", "harness")
    trees = {path: parsed(path) for folder in folders for path in (ROOT / folder).rglob("*.py")}
    calls = [
        (node.name, {*called(iter(node.body))})
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    clocks = set(CLOCKS)
    while more := {name for name, names in calls if name not in clocks and clocks & names}:
        clocks |= more
    found = {
        f"{path.relative_to(ROOT)} calls {name}"
        for path, tree in trees.items()
        for name in called(runs_at_import(tree.body))
        if name in clocks
    }
    assert found == set()
