"""What a function does, without how it is laid out."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest

from course_utils.teaching.bytecode import response_hash, same_code, written_function


def starter(x):
    """Do it."""
    ...


def reworded(x):
    """Do it, with other words, and a comment."""
    # here
    pass


def without_docstring(x):
    return None


def returns_a_number(x):
    """Do it."""
    return 1


def returns_another_number(x):
    return 2


def returns_true(x):
    return True


def inner_one(x):
    """With a docstring."""
    return [(lambda y: y + 1)(z) for z in x]


def inner_one_again(x):
    return [(lambda y: y + 1)(z) for z in x]


def inner_two(x):
    return [(lambda y: y + 2)(z) for z in x]


def calls_len(x):
    return len(x)


def calls_sum(x):
    return sum(x)


@pytest.mark.parametrize("one, other", [(starter, reworded), (starter, without_docstring),
                                        (inner_one, inner_one_again)])
def test_layout_comments_and_docstring_do_not_count(one, other):
    assert same_code(one, other) and response_hash(one) == response_hash(other)


@pytest.mark.parametrize("one, other", [
    (starter, returns_a_number), (returns_a_number, returns_another_number), (returns_a_number, returns_true),
    (inner_one, inner_two), (calls_len, calls_sum)])
def test_what_it_does_counts(one, other):
    assert not same_code(one, other) and response_hash(one) != response_hash(other)


def test_the_function_beneath_decorators_is_found():
    cached = functools.lru_cache(functools.wraps(starter)(lambda *args: starter(*args)))
    assert written_function(cached) is starter


@pytest.mark.parametrize("thing", [3, None, len, functools.partial(starter, 1)])
def test_what_nobody_wrote_as_a_function_is_none(thing):
    assert written_function(thing) is None


def test_a_ring_of_decorators_does_not_hang():
    def ring(): ...
    ring.__wrapped__ = ring
    assert written_function(ring) is None


def test_the_hash_is_the_same_in_another_process():
    """The order of a set of strings is not: it changes with the process."""
    code = ("from course_utils.teaching.bytecode import response_hash\n"
            "print(response_hash(lambda x: x in {'a', 'b', 'c', 'd', 'e', 'f'}))")
    hashes = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                             env={"PYTHONHASHSEED": seed}).stdout for seed in "123"}
    assert len(hashes) == 1
