"""What a function does, without how it is laid out: comments, docstring and line numbers do not count."""

from __future__ import annotations

import dis
import hashlib
import inspect
from types import CodeType, FunctionType, NoneType

PLAIN = (bool, int, float, complex, str, bytes, NoneType)       # told apart by what they print as


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


def _form(function: FunctionType) -> tuple:
    """Instructions, and the defaults of the arguments where there are any: they stand outside the code."""
    code = _normal_form(function.__code__)
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items())
    return (*code, *map(_plainly, defaults)) if defaults else code


def _plainly(value: object) -> str:
    """A default in words that another process finds too: an object's own may hold its address."""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_plainly, value))})"
    return repr(value) if type(value) in PLAIN else type(value).__qualname__


def same_code(one: FunctionType, other: FunctionType) -> bool:
    """Whether both functions compile to the same instructions, with the same defaults."""
    return _form(one) == _form(other)


def response_hash(answer: object) -> str:
    """Tells one attempt from another: by what a function does, by its type for anything else."""
    function = written_function(answer)
    form = repr(_form(function)) if function else type(answer).__qualname__
    return hashlib.sha256(form.encode("utf-8", "backslashreplace")).hexdigest()
