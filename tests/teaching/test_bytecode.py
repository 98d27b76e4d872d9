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


def rate(x, lr=0.1, *, steps=3, norm=object()):      # noqa: B008
    """Do it."""
    return lr * steps * x


def rate_again(x, lr=0.1, *, steps=3, norm=object()):       # noqa: B008
    return lr * steps * x


def other_rate(x, lr=0.01, *, steps=3, norm=object()):      # noqa: B008
    return lr * steps * x


def other_steps(x, lr=0.1, *, steps=4, norm=object()):      # noqa: B008
    return lr * steps * x


def two_rates(x, lr=(0.1, 0.2)):
    return x


def other_two_rates(x, lr=(0.1, 0.3)):
    return x


def test_another_default_is_another_attempt_and_an_object_made_anew_is_none():
    assert same_code(rate, rate_again) and response_hash(rate) == response_hash(rate_again)
    for one, other in ((rate, other_rate), (rate, other_steps), (two_rates, other_two_rates)):
        assert not same_code(one, other) and response_hash(one) != response_hash(other)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="each Python compiles in its own way")
def test_what_was_stored_of_a_function_without_defaults_still_holds():
    assert response_hash(calls_len) == "1cf983c87044be096058be928771fa3fc4b8d587b112a3cd7cc0231b55fd0d57"


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
