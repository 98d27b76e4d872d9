"""BatchNorms folded into convolutions: the same numbers, found in one run, or not at all."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from course_utils.pretrained import extract_features
from course_utils.pretrained.features.reading import Reader
from course_utils.pretrained.inference.folding import folded

SIZE = 64


def norms(model) -> int:
    return sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())


def pictures(count=2):
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def test_a_folded_model_gives_the_same_scores_with_no_batchnorm_left(lite0):
    lighter = folded(lite0, lambda: lite0(pictures()))
    assert norms(lite0) == 49 and norms(lighter) == 0
    torch.testing.assert_close(lighter(pictures()), lite0(pictures()), atol=1e-3, rtol=1e-3)


def test_the_model_itself_stays_as_it_was(lite0):
    before = copy.deepcopy(lite0.state_dict())
    with torch.inference_mode():
        folded(lite0, lambda: lite0(pictures()))
    assert all(map(torch.equal, before.values(), lite0.state_dict().values()))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lite0.modules())


def test_a_batchnorm_that_no_convolution_feeds_stays():
    """DenseNet's stand before their convolutions."""
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)).eval()
    assert folded(model, lambda: model(pictures())) is model


def test_a_batchnorm_that_two_convolutions_feed_stays():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other, self.norm = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x):
            return self.norm(self.one(x)) + self.norm(self.other(x))

    model = Shared().eval()
    assert folded(model, lambda: model(pictures())) is model


class Branching(nn.Module):
    """Its convolution's output goes into a BatchNorm, and past it."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2)
        nn.init.constant_(self.norm.running_mean, 5.0)

    def forward(self, x):
        x = self.conv(x)
        return self.head((self.norm(x) + x).mean(dim=(2, 3)))


def test_where_folding_would_change_the_numbers_the_model_itself_is_read():
    model = Branching().eval()
    with torch.inference_mode():
        lighter = folded(model, lambda: model(pictures()))
        assert not torch.allclose(lighter(pictures()), model(pictures()), atol=0.1), "folding is wrong here"
    batch = [(pictures(8), torch.zeros(8, dtype=torch.long))]
    exact, rough = (extract_features(model, batch, precision=p).x for p in ("float32", "bfloat16"))
    torch.testing.assert_close(rough, exact, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("layer", ["conv_stem", "bn1", "blocks.3.0.bn2", "blocks.6", "pooled"])
def test_any_place_is_read_right(lite0, layer):
    """Among them a convolution, whose own output a folded model does not have any more."""
    batch = [(pictures(8), torch.zeros(8, dtype=torch.long))]
    exact, rough = (extract_features(lite0, batch, layer=layer, precision=p).x
                    for p in ("float32", "bfloat16"))
    assert torch.nn.functional.cosine_similarity(exact, rough).min() >= 0.998


def test_exact_features_come_from_the_model_itself(lite0):
    seen = []
    read = Reader(lite0, lite0.classifier, "input", lambda seen, inputs: seen, "float32")
    read._looking = lambda at=None, precision=None, look=read._looking: seen.append(at) or look(at, precision)
    read.batches([(pictures(), torch.zeros(2, dtype=torch.long))], "test")
    assert seen == [None]
