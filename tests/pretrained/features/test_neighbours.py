"""Neighbours are those at the smallest angle, whatever the number of pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils.errors import BadData, CourseError
from course_utils.pretrained import (
    Features,
    Images,
    extract_features,
    load_dataset,
    load_model,
    nearest_neighbours,
)
from course_utils.pretrained.features import neighbours


def features(x) -> Features:
    return Features(x, torch.zeros(len(x), dtype=torch.long), (), ("a", "b"))


def random_features(count, seed, width=16) -> Features:
    return features(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("queries, chunk", [(1024, 16_384), (3, 7), (1, 1)])
def test_they_are_what_all_cosines_sorted_would_give(queries, chunk, monkeypatch):
    monkeypatch.setattr(neighbours, "QUERIES", queries)
    monkeypatch.setattr(neighbours, "CHUNK", chunk)
    query, among = random_features(10, 0), random_features(50, 1)
    a, b = (f.x.double().numpy() / np.linalg.norm(f.x.double().numpy(), axis=1, keepdims=True)
            for f in (query, among))
    order = np.argsort(-a @ b.T, axis=1)[:, :4]
    found = nearest_neighbours(query, among, k=4)
    assert found.indices.tolist() == order.tolist()
    np.testing.assert_allclose(found.similarities, np.take_along_axis(a @ b.T, order, axis=1), atol=1e-6)


def test_length_plays_no_part():
    query, among = random_features(5, 0), random_features(20, 1)
    lengths = torch.rand(20, 1, generator=torch.Generator().manual_seed(2)) * 100 + 0.01
    indices, similarities = nearest_neighbours(query, features(among.x * lengths))
    expected = nearest_neighbours(query, among)
    assert torch.equal(indices, expected.indices)
    torch.testing.assert_close(similarities, expected.similarities)


def test_by_distance_it_would():
    """The twin: the nearest point is another one once lengths differ."""
    query, among = torch.tensor([[1.0, 0.0]]), torch.tensor([[10.0, 0.0], [1.0, 1.0]])
    assert nearest_neighbours(features(query), features(among), k=1).indices.item() == 0
    assert torch.cdist(query, among).argmin().item() == 1


def test_a_picture_finds_itself_first():
    among = random_features(40, 0)
    indices, similarities = nearest_neighbours(among, among, k=1)
    assert indices[:, 0].tolist() == list(range(40))
    torch.testing.assert_close(similarities, torch.ones(40, 1))
    assert similarities.max() <= 1


def test_features_that_are_all_zero_are_like_nothing():
    found = nearest_neighbours(features(torch.zeros(1, 4)), random_features(3, 0, 4), k=3)
    assert found.similarities.abs().max() == 0


def test_a_network_finds_the_same_face_in_another_size():
    faces = load_dataset("faces").val
    model = load_model("efficientnet_lite0")
    larger = Images([f"large {i}" for i in range(6)], faces.labels[:6], faces.classes,
                    pictures=[faces[i][0].resize((50, 50)) for i in range(6)])
    found = nearest_neighbours(extract_features(model, larger, size=64, cache=False),
                               extract_features(model, faces, size=64, cache=False), k=1)
    assert found.indices[:, 0].tolist() == list(range(6))


@pytest.mark.parametrize("query, among, k, kind, words", [
    (random_features(2, 0), random_features(9, 1, 8), 1, CourseError, "16 numbers each, those for among 8"),
    (random_features(2, 0), random_features(3, 1), 5, CourseError, "only 3 pictures"),
    (random_features(2, 0), random_features(3, 1), 0, CourseError, "k is a whole number"),
    (random_features(2, 0).x, random_features(3, 1), 1, CourseError, "Features for query.*Tensor"),
    (random_features(2, 0), random_features(0, 1), 1, BadData, "among are empty"),
    (features(torch.full((2, 16), torch.nan)), random_features(3, 1), 1, CourseError, "not numbers"),
])
def test_what_does_not_fit_is_said_in_words(query, among, k, kind, words):
    with pytest.raises(kind, match=words):
        nearest_neighbours(query, among, k)
