"""The DynamoDB expressions that this project uses, as predicates over items."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
"""In DynamoDB's format: `{"seq": {"N": "1"}}`."""
Predicate = Callable[[Item], bool]

_BETWEEN = re.compile(r"(\S+) BETWEEN (\S+) AND (\S+)")
_FUNCTION = re.compile(r"(\w+)\((\S+?)(?:, (:\w+))?\)")
_CLAUSES = re.compile(r"(SET|REMOVE|ADD) (.+?)(?= SET | REMOVE | ADD |$)")
_ASSIGNMENT = re.compile(r"(\S+) = (?:(\S+) ([+-]) )?(:\w+)")
_COMPARISON = re.compile(r"(\S+) (=|<=|>=|<|>) (:\w+)")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def plain(value: Mapping[str, Any]) -> Any:
    """Return an attribute's value; all numbers of this project are whole where they are compared.

    `{"N": "1"}` is 1 and `{"S": "1"}` is "1".
    """
    [(kind, content)] = value.items()
    return int(content) if kind == "N" else content


def predicates(expression: str, request: Mapping[str, Any]) -> list[Predicate]:
    """Read clauses joined by AND, some of them `(a OR b)`.

    The names and values that they use are in the request.
    """
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    flat = _BETWEEN.sub(r"\1 >= \2 AND \1 <= \3", expression)
    return [_predicate(clause, names, values) for clause in flat.split(" AND ") if clause]


def condition(request: Mapping[str, Any]) -> Predicate:
    """Return the request's ConditionExpression; without one, it always holds."""
    found = predicates(request.get("ConditionExpression", ""), request)
    return lambda item: all(holds(item) for holds in found)


def updated(item: Item, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item after the request's UpdateExpression."""
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    new = {**item}
    for action, text in _CLAUSES.findall(request["UpdateExpression"]):
        for part in text.split(", "):
            name, *operands = part.split() if action == "ADD" else [part]
            match action:
                case "REMOVE":
                    new.pop(names.get(name, name), None)
                case "ADD":
                    name = names.get(name, name)
                    new[name] = _sum(item.get(name), values[operands[0]], 1)
                case "SET":
                    name, value = _assigned(part, item, names, values)
                    new[name] = value
    return new


def _assigned(
    part: str, item: Item, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Mapping[str, Any]]:
    """Read `a = :value`, `a = b + :value` or `a = b - :value`."""
    found = _ASSIGNMENT.fullmatch(part)
    if not found:
        raise NotImplementedError(part)
    name, other, sign, value = found.groups()
    if not other:
        return names.get(name, name), values[value]
    added = _sum(item[names.get(other, other)], values[value], 1 if sign == "+" else -1)
    return names.get(name, name), added


def _sum(
    number: Mapping[str, Any] | None, added: Mapping[str, Any], times: int
) -> Mapping[str, Any]:
    return {"N": str((plain(number) if number else 0) + times * plain(added))}


def partition_of(request: Mapping[str, Any]) -> Any:
    """Return the partition key of a query."""
    comparisons = _COMPARISON.findall(request["KeyConditionExpression"])
    name = next(name for _, sign, name in comparisons if sign == "=")
    return plain(request["ExpressionAttributeValues"][name])


def _predicate(
    clause: str, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]
) -> Predicate:
    if clause.startswith("("):
        either = [_predicate(each, names, values) for each in clause[1:-1].split(" OR ")]
        return lambda item: any(holds(item) for holds in either)
    if found := _COMPARISON.fullmatch(clause):
        name, sign, value = found.groups()
        return _compare(names.get(name, name), _OPERATORS[sign], plain(values[value]))
    if found := _FUNCTION.fullmatch(clause):
        function, name, value = found.groups()
        name = names.get(name, name)
        match function:
            case "attribute_exists":
                return lambda item: name in item
            case "attribute_not_exists":
                return lambda item: name not in item
            case "begins_with":
                return _compare(name, str.startswith, plain(values[value]))
    raise NotImplementedError(clause)


def _compare(name: str, holds: Callable[[Any, Any], bool], value: Any) -> Predicate:
    return lambda item: name in item and holds(plain(item[name]), value)
