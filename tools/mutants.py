"""Mutants: a function's source with one small error of the kinds that learners make.

    for change, source in mutants("def f(x):\n    return x.mean(dim=1)"):
        ...     # "x.mean(dim=1) → x.mean()", "1 → 2 in x.mean(dim=1)", "x.mean → x.sum in x.mean(dim=1)", …

Whether an exercise's checks find those of its solution, `tools/records/grade_report.py` tries out.

Home-made, because mutmut, cosmic-ray and mutatest change files and run the tests anew for each mutant: here
that is eight seconds of importing torch, against half a second for the checks alone. mutmut also leaves
decorated functions as they are, which all solutions are, and none of them knows `eval` from `train`.
"""

from __future__ import annotations

import ast
import copy
import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

CONTEXT = 70                # characters that say where a change is
LEFT_OUT = "left out"

ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
              ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult}
COMPARISONS = {ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt),
               ast.GtE: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
               ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,)}
# Names that are taken for each other: functions, attributes, and strings that name a mode.
TWINS = (("train", "eval"), ("max", "min"), ("argmax", "argmin"), ("mean", "sum"), ("all", "any"),
         ("softmax", "log_softmax"), ("softmax", "sigmoid"), ("inference_mode", "enable_grad"),
         ("no_grad", "enable_grad"), ("in_features", "out_features"), ("weight", "bias"), ("exp", "log"),
         ("zeros", "ones"), ("width", "height"), ("Adam", "SGD"), ("CenterCrop", "RandomCrop"),
         ("BICUBIC", "BILINEAR"), ("bicubic", "bilinear"), ("float32", "float64"), ("RGB", "L"),
         ("cpu", "cuda"))
SYMMETRIC = ("max", "min")

# What was done, in words, and what then stands in a node's place: a node, or statements.
Change = tuple[str, ast.AST | list[ast.stmt]]


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every change to the one function in `source`: in words, and the source after it.

    The words tell a change from the others as long as the function stays as it is. Strings, the docstring and
    what is returned stay, and so does whatever would leave a name without any value. zip's `strict=` stays:
    it is a habit of the house, and leaving it out no error of a learner.
    """
    tree = ast.parse(source)
    function = tree.body[0]
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    bound, times = _bound(function), Counter()
    for statement in function.body:
        for node in ast.walk(statement):
            for words, new in _changes(node, parents, bound):
                times[words] += 1
                again = f" ({times[words]})" if times[words] > 1 else ""
                copied, old = copy.deepcopy((tree, node))
                yield words + again, ast.unparse(_Replacing(old, new).visit(copied))


def _bound(function: ast.AST) -> Counter[str]:
    """How often each name is given a value inside the function; being an argument counts as once."""
    nodes = list(ast.walk(function))
    stored = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return Counter([node.arg for node in nodes if isinstance(node, ast.arg)] + stored)


class _Replacing(ast.NodeTransformer):
    """Puts `new` in the place of the node `old`."""

    def __init__(self, old: ast.AST, new: ast.AST | list[ast.stmt]):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        return self.new if node is self.old else self.generic_visit(node)


# The kinds of changes

def _changes(node: ast.AST, parents: dict, bound: Counter[str]) -> Iterator[Change]:
    """Every change at this node."""
    yield from _statements(node, parents, bound)
    yield from _lists(node)
    for new in (*_operators(node), *_calls(node, parents, bound), *_questions(node, parents, bound)):
        yield _from_to(node, new), new
    for new in (*_constants(node, parents), *_twins(node, bound), *_arguments(node, parents, bound)):
        yield f"{_from_to(node, new)} in {_short(_around(node, parents))}", new


def _constants(node: ast.AST, parents: dict) -> Iterator[ast.AST]:
    """True is False, a whole number one more or less, another a tenth more."""
    match node:
        case ast.Constant(value=bool(value)) if not _is_strict(parents[node]):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=float(value)):
            yield ast.Constant(float(f"{1.1 * value:.6g}") if value else 1.0)


def _is_strict(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _twins(node: ast.AST, bound: Counter[str]) -> Iterator[ast.AST]:
    """Another name, attribute or mode that this one is taken for."""
    for one, other in (*TWINS, *((two, one) for one, two in TWINS)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if name == one and name not in bound:
                yield ast.Name(other, ast.Load())
            case ast.Attribute(attr=name, ctx=ast.Load()) if name == one:
                yield _but(node, attr=other)
            case ast.Constant(value=str(name)) if name == one:
                yield ast.Constant(other)


def _arguments(node: ast.AST, parents: dict, bound: Counter[str]) -> Iterator[ast.AST]:
    """What is handed to a call is the function's next argument instead, or its first."""
    if isinstance(node, ast.Name) and node.id in bound and node in getattr(parents[node], "args", ()):
        function = parents[node]
        while not isinstance(function, ast.FunctionDef):
            function = parents[function]
        names = [argument.arg for argument in function.args.args]
        other = names[(names.index(node.id) + 1) % len(names)] if node.id in names else names[0]
        if other != node.id:
            yield ast.Name(other, ast.Load())


def _operators(node: ast.AST) -> Iterator[ast.AST]:
    """Another operator, a sign or `not` left out, a condition turned round."""
    match node:
        case ast.BinOp() | ast.AugAssign():
            if type(node.op) in ARITHMETIC:
                yield _but(node, op=ARITHMETIC[type(node.op)]())
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for other in COMPARISONS[type(op)]:
                    yield _but(node, ops=[*node.ops[:i], other(), *node.ops[i + 1:]])
        case ast.BoolOp():
            yield _but(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        case ast.UnaryOp():
            yield node.operand
        case ast.IfExp():
            yield _but(node, test=ast.UnaryOp(ast.Not(), node.test))


def _statements(node: ast.AST, parents: dict, bound: Counter[str]) -> Iterator[Change]:
    """A statement left out, the body of a `with` alone, a condition turned round."""
    match node:
        case ast.With():
            for i, item in enumerate(node.items):
                rest = [*node.items[:i], *node.items[i + 1:]]
                yield f"without `with {_short(item)}`", _but(node, items=rest) if rest else node.body
        case ast.If() | ast.While():
            yield f"{_short(node)} → not", _but(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.stmt) and not _must_stay(node, parents, bound):
        yield f"{_short(node)} → {LEFT_OUT}", ast.Pass()


def _must_stay(node: ast.stmt, parents: dict, bound: Counter[str]) -> bool:
    """Whether it is a docstring, gives a name its only value, or returns at the function's end."""
    match node:
        case ast.Return() | ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.Expr(ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return bound[name] == 1
    is_last = isinstance(parents[node], ast.FunctionDef) and parents[node].body[-1] is node
    return is_last and any(isinstance(part, ast.Return) for part in ast.walk(node))


def _lists(node: ast.AST) -> Iterator[Change]:
    """One element of a list left out, or two neighbours in the other order."""
    if isinstance(node, ast.List) and len(node.elts) > 1:
        for i, part in enumerate(node.elts):
            yield f"{_short(part)} → {LEFT_OUT}", _but(node, elts=[*node.elts[:i], *node.elts[i + 1:]])
        for i, (one, two) in enumerate(pairwise(node.elts)):
            yield (f"{_short(one)} after {_short(two)}",
                   _but(node, elts=[*node.elts[:i], two, one, *node.elts[i + 2:]]))


def _calls(node: ast.AST, parents: dict, bound: Counter[str]) -> Iterator[ast.AST]:
    """A keyword left out, two arguments swapped, or instead of a call what it would have worked on."""
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if not _is_strict(keyword):
            yield _but(node, keywords=[other for other in node.keywords if other is not keyword])
    is_symmetric = isinstance(node.func, ast.Name) and node.func.id in SYMMETRIC
    for i, (one, two) in enumerate(pairwise(node.args)):
        if not is_symmetric:
            yield _but(node, args=[*node.args[:i], two, one, *node.args[i + 2:]])
    if isinstance(parents[node], ast.Expr):                     # as a statement: left out as such
        return
    worked_on = node.args[:1] + ([node.func.value] if isinstance(node.func, ast.Attribute) else [])
    yield from (part for part in worked_on if not _is_module(part, bound)
                and not isinstance(part, ast.Constant | ast.Starred | ast.GeneratorExp))


def _questions(node: ast.AST, parents: dict, bound: Counter[str]) -> Iterator[ast.AST]:
    """`x` instead of `x.name` or `x[i]`."""
    match node:
        case ast.Subscript(ctx=ast.Load()):
            yield node.value
        case ast.Attribute(ctx=ast.Load()):
            is_called = isinstance(parents[node], ast.Call) and parents[node].func is node
            if not is_called and not _is_module(node.value, bound):
                yield node.value


def _is_module(node: ast.AST, bound: Counter[str]) -> bool:
    """Whether it stands for a module or class, as `torch` and `v2.InterpolationMode`: no value to hand on."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id not in bound


def _but(node: ast.AST, **fields: object) -> ast.AST:
    """The node with other values for these fields."""
    return ast.copy_location(type(node)(**dict(ast.iter_fields(node)) | fields), node)


def _around(node: ast.AST, parents: dict) -> ast.AST:
    """The call or statement that the node stands in, to say where it is."""
    node = parents[node]
    while not isinstance(node, ast.Call | ast.stmt):
        node = parents[node]
    return node


def _short(node: ast.AST) -> str:
    """The beginning of the node's source."""
    return textwrap.shorten(ast.unparse(node).splitlines()[0], CONTEXT, placeholder=" …")


def _from_to(old: ast.AST, new: ast.AST) -> str:
    """Both sources, where they are long from a little before the first difference on."""
    texts = [ast.unparse(node).splitlines()[0] for node in (old, new)]
    differ = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = differ - CONTEXT // 3 if differ > CONTEXT // 2 and max(map(len, texts)) > CONTEXT else 0
    start = texts[0].rfind(" ", 0, start) + 1
    cut = [("… " if start else "") + text[start:] for text in texts]
    return " → ".join(textwrap.shorten(text, CONTEXT, placeholder=" …") for text in cut)
