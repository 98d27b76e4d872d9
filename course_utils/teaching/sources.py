"""The source of an answer, as a learner would have typed it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable

from course_utils.teaching.bytecode import written_function

AUTHORS_DECORATORS = {"starter", "solved_by", "alternative", "wrong"}


def source_of(function: Callable, name: str) -> str:
    """A function's source, dedented, without its exercise's decorators, under the given name."""
    source = textwrap.dedent(inspect.getsource(written_function(function)))
    lines = source.rstrip().splitlines()
    definition = ast.parse(source).body[0]
    for decorator in reversed(definition.decorator_list):
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(call, ast.Attribute) and call.attr in AUTHORS_DECORATORS:
            del lines[decorator.lineno - 1:decorator.end_lineno]
    at = next(i for i, line in enumerate(lines) if line.startswith("def "))
    lines[at] = lines[at].replace(f"def {definition.name}", f"def {name}", 1)
    return "\n".join(lines)
