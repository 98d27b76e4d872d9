"""What checks borrow from torch is given back, whatever an answer does to it."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from course_utils.lessons._guards import as_list, is_number, torch_as_it_was


def state() -> dict:
    return {"gradients": torch.is_grad_enabled(), "inference": torch.is_inference_mode_enabled(),
            "dtype": torch.get_default_dtype(), "threads": torch.get_num_threads(),
            "device": torch.get_default_device(), "made on": torch.ones(1).device,
            "seed": torch.initial_seed()}


def change_everything() -> None:
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(2)
    torch.set_default_device("meta")
    torch.manual_seed(5)


def test_what_an_answer_changes_is_as_it_was():
    before, drawn = state(), torch.get_rng_state()
    with torch_as_it_was():
        change_everything()
        changed = state()
    assert state() == before and torch.equal(torch.get_rng_state(), drawn)
    assert not {"gradients", "dtype", "threads", "device", "seed", "made on"} & {
        name for name in before if changed[name] == before[name] and name != "threads"}


def test_it_is_as_it_was_also_after_an_error_and_where_something_else_was_chosen():
    torch.set_default_device("meta")
    try:
        before = state()
        with pytest.raises(KeyError), torch_as_it_was():
            torch.set_default_device("cpu")
            torch.set_default_dtype(torch.float64)
            raise KeyError
        assert state() == before and before["device"].type == "meta"
    finally:
        torch.set_default_device(None)


def test_the_numbers_inside_follow_from_the_engines_seed():
    drawn = []
    for seed in (1, 1, 2):
        random.seed(seed)
        with torch_as_it_was():
            drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("found", [1, 2.5, True, np.float32(1.5), np.int64(3), np.array(2.0), torch.tensor(1),
                                   torch.ones(1), torch.ones(1, requires_grad=True)])
def test_one_real_number_of_any_kind_is_a_number(found):
    assert is_number(found)


@pytest.mark.parametrize("found", [None, "1", 1j, [1.0], torch.ones(2), torch.tensor(1j), np.ones(2), (1,),
                                   {}])
def test_other_things_are_none(found):
    assert not is_number(found)


@pytest.mark.parametrize("found, held", [
    ([1, 2], [1, 2]), ((1, 2), [1, 2]), (np.array([1, 2]), [1, 2]), (torch.tensor([1, 2]), [1, 2]),
    (torch.tensor(1), None), (np.float64(1), None), (np.array(1), None), (3, None), (None, None),
    ("ab", None), ({"a": 1}, None)])
def test_a_row_of_things_is_told_from_a_single_one(found, held):
    assert as_list(found) == held
