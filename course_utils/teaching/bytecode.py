"""What a function does, without how it is laid out: comments, docstring and line numbers do not count."""

from __future__ import annotations

import dis
import hashlib
import inspect
from types import CodeType, FunctionType


def written_function(answer: object) -> FunctionType | None:
    """The function somebody wrote with `def` or `lambda`, beneath decorators; None for anything else."""
    try:
        function = inspect.unwrap(answer) if callable(answer) else None
    except ValueError:                # a ring of __wrapped__
        return None
    function = getattr(function, "__func__", function)      # a method's function
    return function if isinstance(function, FunctionType) else None


def code_and_inner(code: CodeType) -> set[CodeType]:
    """`code` and that of every function, lambda, class and comprehension written inside it."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {code}.union(*(code_and_inner(c) for c in inner))


def _normal_form(code: CodeType) -> tuple:
    """Instructions with their arguments resolved, so that a docstring does not shift the constants."""
    steps = []
    for step in dis.get_instructions(code):
        argument = step.argval
        if isinstance(argument, CodeType):
            argument = _normal_form(argument)
        elif isinstance(argument, frozenset):         # its order changes from process to process
            argument = sorted(map(repr, argument))
        steps.append((step.opname, repr(argument)))   # repr: 1, 1.0 and True are equal but not the same
    return tuple(steps)


def same_code(one: FunctionType, other: FunctionType) -> bool:
    """Whether both functions compile to the same instructions."""
    return _normal_form(one.__code__) == _normal_form(other.__code__)


def response_hash(answer: object) -> str:
    """Tells one attempt from another: by what a function does, by its type for anything else."""
    function = written_function(answer)
    form = repr(_normal_form(function.__code__)) if function else type(answer).__qualname__
    return hashlib.sha256(form.encode("utf-8", "backslashreplace")).hexdigest()
