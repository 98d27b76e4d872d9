"""The linear probe: the classifier it says it is, its strength chosen on validation, and usable as a head."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_utils import paths
from course_utils.errors import BadData, CourseError
from course_utils.pretrained import (
    Features,
    extract_features,
    linear_probe,
    load_dataset,
    preprocessing,
)

SIZE = 64


def clouds(count: int, width: int = 20, classes: int = 3, seed: int = 0, spread: float = 1.0) -> Features:
    """Features around one centre for each class; the centres are the same for every seed."""
    centres = torch.randn(classes, width, generator=torch.Generator().manual_seed(99))
    y = torch.arange(count) % classes
    noise = torch.randn(count, width, generator=torch.Generator().manual_seed(seed))
    return Features(3 + centres[y] + spread * noise, y, (), tuple("abcde"[:classes]))


def test_a_probe_learns_what_can_be_told_apart():
    train, val, test = clouds(90), clouds(60, seed=1), clouds(300, seed=2)
    probe = linear_probe(train, val)
    assert probe.score(test) > 0.95
    assert probe.accuracy == probe.score(val)
    assert torch.equal(probe.predict(test), probe.predict(test.x))


def test_a_probe_of_noise_is_no_better_than_guessing():
    train, val, test = (clouds(300, seed=seed, spread=1000) for seed in range(3))
    assert abs(linear_probe(train, val).score(test) - 1 / 3) < 0.1


@pytest.mark.parametrize("width", [20, 120, 300])       # of 120 pictures; for more, it computes in their span
def test_the_probe_minimises_what_it_says(width):
    """Against scikit-learn's logistic regression on the same scaled features: C = 1 / (strength · N)."""
    from sklearn.linear_model import LogisticRegression
    train, val, strength = clouds(120, width, spread=2), clouds(60, width, seed=1, spread=2), 0.03
    probe = linear_probe(train, val, strengths=[strength])
    x = (train.x - train.x.mean(0)).double()
    scale = x.square().mean().sqrt()
    theirs = LogisticRegression(C=1 / (strength * len(x)), tol=1e-9, max_iter=10_000)
    theirs.fit((x / scale).numpy(), train.y.numpy())
    np.testing.assert_allclose((probe.weight * scale).numpy(), theirs.coef_, atol=1e-3)


def test_pictures_that_are_the_same_span_no_more():
    """Twelve pictures of 300 numbers, each there three times: as one of each, but for rounding."""
    one, val = clouds(12, width=300), clouds(60, width=300, seed=1)
    thrice = Features(one.x.repeat(3, 1), one.y.repeat(3), (), one.classes)
    probes = [linear_probe(train, val, strengths=[0.1]) for train in (one, thrice)]
    torch.testing.assert_close(probes[0].weight, probes[1].weight, atol=1e-4, rtol=0)


def test_the_head_gives_the_same_scores():
    train, val = clouds(90, width=1280), clouds(60, width=1280, seed=1)
    probe = linear_probe(train, val)
    with torch.no_grad():
        scores = probe.as_head()(val.x).double()
    torch.testing.assert_close(scores, probe.logits(val), atol=1e-4, rtol=0)


def test_the_head_in_the_network_scores_like_the_probe(model, images):
    features = extract_features(model, images, size=SIZE, precision="float32")
    probe = linear_probe(features, features)
    model.classifier = probe.as_head()
    prepare = preprocessing(model, size=SIZE)
    with torch.no_grad():
        scores = model(torch.stack([prepare(picture) for picture, _ in images]))
    torch.testing.assert_close(scores.double(), probe.logits(features), atol=1e-2, rtol=1e-2)


def test_the_same_features_give_the_same_probe():
    first, second = (linear_probe(clouds(90), clouds(60, seed=1)) for _ in range(2))
    assert torch.equal(first.weight, second.weight) and first.strength == second.strength


def test_the_strength_is_the_one_with_the_lowest_loss_on_validation():
    train, val = clouds(90), clouds(60, seed=1)
    probe = linear_probe(train, val)
    losses = {s: F.cross_entropy(linear_probe(train, val, strengths=[s]).logits(val), val.y).item()
              for s in probe.tried}
    assert probe.tried[probe.strength] == min(probe.tried.values())
    assert min(losses, key=losses.get) == probe.strength


def test_where_accuracies_tie_the_probe_is_not_timid():
    """Of strengths that all get every picture right, the strongest would be the least sure."""
    train, val = clouds(90, spread=0.01), clouds(60, seed=1, spread=0.01)
    sure, timid = linear_probe(train, val), linear_probe(train, val, strengths=[3.0])
    assert sure.accuracy == timid.accuracy == 1.0
    certainty = [probe.logits(val).softmax(dim=1).amax(dim=1) for probe in (sure, timid)]
    assert certainty[0].min() > 0.99 > certainty[1].max()


def test_features_that_never_change_do_no_harm():
    def with_constants(features):
        columns = torch.tensor([[0.0, 7.0]]).expand(len(features), 2)
        return Features(torch.cat([features.x, columns], dim=1), features.y, (), features.classes)
    train, val = clouds(90), clouds(60, seed=1)
    plain, padded = linear_probe(train, val), linear_probe(with_constants(train), with_constants(val))
    assert padded.weight.isfinite().all() and padded.accuracy == plain.accuracy
    assert padded.weight[:, -2:].abs().max() < 1e-6
    nothing = Features(torch.ones(6, 4), torch.arange(6) % 2, (), ("a", "b"))
    assert linear_probe(nothing, nothing).weight.isfinite().all()


def test_a_probe_leaves_the_threads():
    threads = torch.get_num_threads()
    linear_probe(clouds(90), clouds(60, seed=1))
    assert torch.get_num_threads() == threads


def test_the_probe_does_not_load_scikit_learn():
    code = "import sys, course_utils.pretrained.features.probe; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def of(x, y=None, classes=("a", "b")) -> Features:
    return Features(x, torch.arange(len(x)) % 2 if y is None else y, (), classes)


@pytest.mark.parametrize("train, val, words", [
    (of(torch.randn(6, 4)), of(torch.randn(6, 5)), "4 numbers each, those for val 5"),
    (of(torch.randn(6, 4)), of(torch.randn(6, 4), classes=("b", "a")), "b, a, the probe's are a, b"),
    (of(torch.randn(6, 4)), of(torch.zeros(0, 4)), "given for val are empty"),
    (of(torch.full((6, 4), torch.nan)), of(torch.randn(6, 4)), "not numbers"),
    (of(torch.randn(6, 4), torch.zeros(6, dtype=torch.long)), of(torch.randn(6, 4)), "all of one class"),
    (torch.randn(6, 4), of(torch.randn(6, 4)), "Features for train.*Tensor"),
    (of(torch.randn(6, 4), classes=()), of(torch.randn(6, 4), torch.arange(6) % 3, ()), "a class 2 that"),
])
def test_features_that_do_not_fit_together_are_said_in_words(train, val, words):
    with pytest.raises(CourseError, match=words):
        linear_probe(train, val)


def test_a_probe_refuses_features_of_another_width():
    with pytest.raises(CourseError, match=r"\(N, 20\), but got \(2, 5\)"):
        linear_probe(clouds(30), clouds(30, seed=1)).predict(torch.zeros(2, 5))


def test_an_empty_folder_of_features_is_bad_data():
    with pytest.raises(BadData):
        linear_probe(of(torch.zeros(0, 4)), of(torch.randn(6, 4)))


# Real photographs ----------------------------------------------------------------------------------

def test_a_probe_on_real_photographs_reaches_88_percent(lite0):
    folder = paths.test_photos() / "flowers"
    if not folder.is_dir():
        pytest.skip(f"no real photographs at {folder}: set COURSE_TEST_PHOTOS to a folder that has flowers/")
    photos = load_dataset(f"folder:{folder}")
    start = time.perf_counter()
    train, val, test = (extract_features(lite0, part) for part in (photos.train, photos.val, photos.test))
    probe = linear_probe(train, val)
    accuracy = probe.score(test)
    count, seconds = len(train) + len(val) + len(test), time.perf_counter() - start
    print(f"\n{count} photographs in {seconds:.1f} s: {accuracy:.1%}")
    assert accuracy >= 0.88
