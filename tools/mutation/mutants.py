"""Mutants of a module's source: each changes one thing that some test should notice."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the line (from 1), the old and the new code, and the whole new source."""

    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """``12: a < b → a <= b``."""
        return f"{self.line}: {self.before} → {self.after}"


def mutants(source: str, count: int | None = None, seed: int = 0) -> list[Mutant]:
    """The mutants of a module's *source* in its order; if *count* is given, that many drawn by *seed*.

    Left alone: annotations, docstrings, what is inside ``raise`` (only the raising itself is dropped) and
    texts, since the wording of a message does not make an answer right.
    """
    tree = ast.parse(source)
    places = list(_places(tree))
    if count is not None and count < len(places):
        places = sorted(random.Random(seed).sample(places, count))
    return [_carried_out(source, place, change) for place, change in places]


Place = tuple[int, int]
"""Which node of the tree, in the order of `ast.walk`, and which of its changes."""


def _places(tree: ast.Module) -> Iterator[Place]:
    left_alone = _left_alone(tree)
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in left_alone:
            for change in range(len(_changes(node))):
                yield number, change


def _left_alone(tree: ast.Module) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        inside: list[ast.AST | None] = []
        match node:
            case ast.arg() | ast.AnnAssign():
                inside.append(node.annotation)
            case ast.FunctionDef():
                inside += [node.returns, *node.decorator_list]
            case ast.ClassDef():
                inside += node.decorator_list
            case ast.Raise():
                inside += [node.exc, node.cause]
            case ast.JoinedStr() | ast.Assert() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                inside.append(node)
        found |= {id(one) for root in filter(None, inside) for one in ast.walk(root)}
    return found


def _changes(node: ast.AST) -> list[ast.AST]:
    """What may stand in the place of *node*."""
    match node:
        case ast.Compare(left=left, ops=[first, *rest], comparators=values):
            return [ast.Compare(left, [kind(), *rest], values) for kind in _COMPARED[type(first)]]
        case ast.BinOp(left=left, op=op, right=right) if not _texts(left, right):
            return [ast.BinOp(left, _COMPUTED[type(op)](), right)] if type(op) in _COMPUTED else []
        case ast.AugAssign(target=target, op=op, value=value):
            other = [ast.AugAssign(target, _COMPUTED[type(op)](), value)] if type(op) in _COMPUTED else []
            return [*other, ast.Pass()]
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            return [operand]
        case ast.BoolOp(op=op, values=values):
            return [ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)]
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return [ast.IfExp(test, orelse, body)]
        case ast.If(test=test, body=body, orelse=orelse) | ast.While(test=test, body=body, orelse=orelse):
            return [] if isinstance(test, ast.Constant) else [type(node)(_negated(test), body, orelse)]
        case ast.comprehension(target=target, iter=values, ifs=[_, *rest], is_async=waits):
            return [ast.comprehension(target, values, rest, waits)]
        case ast.Constant(value=bool() as value):
            return [ast.Constant(not value)]
        case ast.Constant(value=int() as value):
            return [ast.Constant(value + 1), ast.Constant(value - 1)]
        case ast.Constant(value=float() as value):
            return [ast.Constant(value * 2 if value else 1.0)]
        case ast.Expr(value=ast.Call()) | ast.Raise():
            return [ast.Pass()]
        case ast.Continue():
            return [ast.Break()]
        case ast.Break():
            return [ast.Continue()]
        case ast.Return(value=None | ast.Constant(value=None)):
            return []
        case ast.Return():
            return [ast.Return(ast.Constant(None))]
        case ast.Call(func=func, args=arguments, keywords=given):
            kept = ([one for one in given if one is not dropped] for dropped in given)
            return [ast.Call(func, arguments, keywords) for keywords in kept]
    return []


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.UnaryOp(ast.Not(), test)


def _texts(*nodes: ast.AST) -> bool:
    """Whether any of the operands is plainly a text: texts cannot be subtracted, which proves nothing."""
    return any(
        isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        for node in nodes
    )


def _carried_out(source: str, number: int, change: int) -> Mutant:
    tree = ast.parse(source)
    target = list(ast.walk(tree))[number]
    new = ast.copy_location(copy.deepcopy(_changes(target)[change]), target)
    line = getattr(target, "lineno", None) or getattr(target, "target").lineno  # noqa: B009  (comprehensions)
    before = ast.unparse(target).splitlines()[0]
    _Exchange(target, new).visit(tree)
    ast.fix_missing_locations(tree)
    after = ast.unparse(new).splitlines()[0]
    return Mutant(line, before, after, ast.unparse(tree))


class _Exchange(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else super().visit(node)
