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
_CLAUSES = re.compile(r"(SET|REMOVE|ADD|DELETE) (.+?)(?= (?:SET|REMOVE|ADD|DELETE) |$)")
_COMMA = re.compile(r", (?![^(]*\))")
_ASSIGNMENT = re.compile(r"(\S+) = (?:(\S+) ([+-]) )?(:\w+)")
_DEFAULT = re.compile(r"(\S+) = if_not_exists\((\S+), (:\w+)\)")
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
    if kind in {"SS", "NS"}:
        return frozenset(content)
    return int(content) if kind == "N" else content


def predicate(expression: str, request: Mapping[str, Any]) -> Predicate:
    """Read clauses joined by OR and AND, where AND binds closer; an empty one always holds.

    The names and values that they use are in the request.
    """
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    flat = _BETWEEN.sub(r"\1 >= \2 AND \1 <= \3", expression)
    return _either(flat, names, values) if flat else lambda _item: True


def condition(request: Mapping[str, Any]) -> Predicate:
    """Return the request's ConditionExpression; without one, it always holds."""
    return predicate(request.get("ConditionExpression", ""), request)


def updated(item: Item, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item after the request's UpdateExpression."""
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    new = {**item}
    for action, text in _CLAUSES.findall(request["UpdateExpression"]):
        for part in _COMMA.split(text):
            if action == "SET":
                name, value = _assigned(part, item, names, values)
                new[name] = value
                continue
            name, *operands = part.split()
            name = names.get(name, name)
            old, operand = item.get(name), values[operands[0]] if operands else {}
            changed = _added(old, operand) if action == "ADD" else _without(old, operand)
            if changed:
                new[name] = changed
            else:
                new.pop(name, None)
    return new


def _assigned(
    part: str, item: Item, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Mapping[str, Any]]:
    """Read `a = :value`, `a = b + :value`, `a = b - :value` or `a = if_not_exists(b, :value)`."""
    if found := _DEFAULT.fullmatch(part):
        name, other, value = found.groups()
        return names.get(name, name), item.get(names.get(other, other), values[value])
    found = _ASSIGNMENT.fullmatch(part)
    if not found:
        raise NotImplementedError(part)
    name, other, sign, value = found.groups()
    if not other:
        return names.get(name, name), values[value]
    added = _sum(item[names.get(other, other)], values[value], 1 if sign == "+" else -1)
    return names.get(name, name), added


def _added(old: Mapping[str, Any] | None, more: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add a number, or the members of a set."""
    [(kind, content)] = more.items()
    if kind == "N":
        return _sum(old, more, 1)
    return {kind: [*{**dict.fromkeys(old[kind] if old else ()), **dict.fromkeys(content)}]}


def _without(old: Mapping[str, Any] | None, less: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take members off a set, which does not exist without any, or remove an attribute."""
    if not (old and less):
        return {}
    [(kind, content)] = less.items()
    left = [member for member in old[kind] if member not in content]
    return {kind: left} if left else {}


def _sum(
    number: Mapping[str, Any] | None, added: Mapping[str, Any], times: int
) -> Mapping[str, Any]:
    return {"N": str((plain(number) if number else 0) + times * plain(added))}


def partition_of(request: Mapping[str, Any]) -> Any:
    """Return the partition key of a query."""
    comparisons = _COMPARISON.findall(request["KeyConditionExpression"])
    name = next(name for _, sign, name in comparisons if sign == "=")
    return plain(request["ExpressionAttributeValues"][name])


def _either(
    text: str, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]
) -> Predicate:
    each = [_all(part, names, values) for part in _split(text, " OR ")]
    return each[0] if len(each) == 1 else lambda item: any(holds(item) for holds in each)


def _all(text: str, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]) -> Predicate:
    each = [_clause(part, names, values) for part in _split(text, " AND ")]
    return each[0] if len(each) == 1 else lambda item: all(holds(item) for holds in each)


def _split(text: str, word: str) -> list[str]:
    """Split an expression at a word that is outside of brackets."""
    parts: list[str] = []
    for part in text.split(word):
        if parts and parts[-1].count("(") > parts[-1].count(")"):
            parts[-1] += word + part
        else:
            parts.append(part)
    return parts


def _clause(
    clause: str, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]
) -> Predicate:
    if clause.startswith("("):
        return _either(clause[1:-1], names, values)
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
