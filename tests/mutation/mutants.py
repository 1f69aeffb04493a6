"""Small mistakes that somebody could make in the engine, one at a time: what a mutant is and where there can be one."""

import ast
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

Enums = Mapping[str, tuple[str, ...]]
"""The members of each enum of the engine, by the name of its class."""

_BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OPPOSITE = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip
_BOOLEAN = {ast.And: ast.Or, ast.Or: ast.And}
_BUILTINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_WITHOUT_EFFECT = ("annotation", "returns", "decorator_list", "type_params", "bases")
"""Where a change is not one of behaviour."""

SHORT = 80
"""Characters of a description."""

_Parts = tuple[ast.AST, str, int | None]
"""Where a node hangs: its parent, the field, and the place in it if the field is a list."""


@dataclass(frozen=True)
class Mutant:
    """One mistake. `lines`: of the statement it is in; `place` and `variant` find it again in the same source."""

    module: str
    within: str
    lines: range
    kind: str
    was: str
    now: str
    place: int
    variant: int

    def __str__(self) -> str:
        return f"{self.module}:{self.lines.start} {self.change}"

    @property
    def change(self) -> str:
        """What is changed in which function, wherever its line has moved to."""
        return f"{self.within}: `{self.was}` -> `{self.now}`"


@dataclass(frozen=True)
class _Site:
    node: ast.AST
    hangs: _Parts
    statement: ast.stmt
    within: tuple[str, ...]
    bound: frozenset[str]


def enums_of(sources: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The enums that these sources define."""
    found = {}
    for source in sources.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
                names = [target.id for each in node.body if isinstance(each, ast.Assign) for target in each.targets
                         if isinstance(target, ast.Name)]  # fmt: skip
                found[node.name] = tuple(names)
    return found


def mutants_of(module: str, source: str, enums: Enums) -> list[Mutant]:
    """Every mutant of a module, in the order of its source."""
    found = []
    for place, site in enumerate(_sites(ast.parse(source))):
        for variant, (kind, other) in enumerate(_variants(site, enums)):
            was, now = _apart(ast.unparse(site.node), ast.unparse(other))
            within, lines = ".".join(site.within) or "module", _lines(site.statement)
            found.append(Mutant(module, within, lines, kind, was, now, place, variant))
    return found


def mutated(source: str, mutant: Mutant, enums: Enums) -> ast.Module:
    """The module with this one mistake in it."""
    tree = ast.parse(source)
    site = next(site for place, site in enumerate(_sites(tree)) if place == mutant.place)
    _, other = list(_variants(site, enums))[mutant.variant]
    (parent, field, index) = site.hangs
    ast.copy_location(other, site.node)
    if index is None:
        setattr(parent, field, other)
    else:
        getattr(parent, field)[index] = other
    return ast.fix_missing_locations(tree)


def _sites(tree: ast.Module) -> Iterator[_Site]:
    for index, statement in enumerate(tree.body):
        yield from _below(statement, (tree, "body", index), statement, (), frozenset())


def _below(
    node: ast.AST, hangs: _Parts, statement: ast.stmt, within: tuple[str, ...], bound: frozenset[str]
) -> Iterator[_Site]:
    statement = node if isinstance(node, ast.stmt) else statement
    yield _Site(node, hangs, statement, within, bound)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        within = (*within, node.name)
    if isinstance(node, ast.FunctionDef):
        bound = frozenset(argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg))
    for field, value in ast.iter_fields(node):
        if field in _WITHOUT_EFFECT:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield from _below(child, (node, field, index if isinstance(value, list) else None), statement, within,
                                  bound)  # fmt: skip
                if within and isinstance(child, ast.Assign):
                    bound |= {target.id for target in child.targets if isinstance(target, ast.Name)}


def _apart(was: str, now: str) -> tuple[str, str]:
    """Both, without the most of what is the same at either end of a long line."""
    if len(was) <= SHORT:
        return was, now
    begins = _alike(was, now)
    ends = min(_alike(was[::-1], now[::-1]), len(was) - begins, len(now) - begins)
    first, last = max(0, begins - SHORT // 4), max(0, ends - SHORT // 4)
    return was[first : len(was) - last], now[first : len(now) - last]


def _alike(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _lines(statement: ast.stmt) -> range:
    """Of the statement itself, not of those inside it."""
    inner = [each for field in ("body", "cases") for each in getattr(statement, field, [])]
    starts = [each.lineno if isinstance(each, ast.stmt) else each.pattern.lineno for each in inner]
    end = (min(starts) - 1) if starts else statement.end_lineno or statement.lineno
    return range(statement.lineno, max(end, statement.lineno) + 1)


def _variants(site: _Site, enums: Enums) -> Iterator[tuple[str, ast.AST]]:
    for kind in _KINDS:
        for other in kind(site, enums):
            yield kind.__name__.strip("_"), other


def _with(node: Any, **changes: Any) -> ast.AST:
    return type(node)(**{**dict(ast.iter_fields(deepcopy(node))), **changes})


def _boundary(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    yield from _compared(site.node, _BOUNDARY)


def _opposite(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    yield from _compared(site.node, _OPPOSITE)


def _compared(node: ast.AST, table: Mapping[Any, Any]) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in table:
                yield _with(node, ops=[*node.ops[:index], table[type(operator)](), *node.ops[index + 1 :]])


def _arithmetic(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    node = site.node
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC and not _of_text(node):
        yield _with(node, op=_ARITHMETIC[type(node.op)]())


def _of_text(node: ast.AST) -> bool:
    return any(isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str))
               for each in ast.iter_child_nodes(node))  # fmt: skip


def _boolean(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    if isinstance(site.node, ast.BoolOp):
        yield _with(site.node, op=_BOOLEAN[type(site.node.op)]())


def _negation(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    """`not` left out, or put where there was none and no comparison already gives it."""
    node, (_, field, _) = site.node, site.hangs
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif field == "test" and not isinstance(node, ast.Compare | ast.BoolOp):
        yield ast.UnaryOp(ast.Not(), deepcopy(node))


def _constant(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    node = site.node
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))


def _returned(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    node = site.node
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


def _removed(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    """A statement left out, unless what follows could not even run without it."""
    node, inside = site.node, bool(site.within)
    again = isinstance(node, ast.Assign) and all(
        not isinstance(target, ast.Name) or target.id in site.bound for target in node.targets
    )
    if inside and (again or isinstance(node, ast.AugAssign | ast.Expr | ast.Raise | ast.Continue | ast.Break)):
        yield ast.Pass()


def _left_out(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    """A field that `replace` was to set."""
    node = site.node
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("replace", "_replace"):
        for index, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                yield _with(node, keywords=[*node.keywords[:index], *node.keywords[index + 1 :]])


def _member(site: _Site, enums: Enums) -> Iterator[ast.AST]:
    """The next member of the same enum."""
    node = site.node
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in enums:
        members = enums[node.value.id]
        if node.attr in members:
            yield _with(node, attr=members[(members.index(node.attr) + 1) % len(members)])


def _builtin(site: _Site, _enums: Enums) -> Iterator[ast.AST]:
    if isinstance(site.node, ast.Name) and site.node.id in _BUILTINS and isinstance(site.hangs[0], ast.Call):
        yield _with(site.node, id=_BUILTINS[site.node.id])


_KINDS: tuple[Callable[[_Site, Enums], Iterator[ast.AST]], ...] = (
    _boundary, _opposite, _arithmetic, _boolean, _negation, _constant, _returned, _removed, _left_out, _member,
    _builtin,
)  # fmt: skip
