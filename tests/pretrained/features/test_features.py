"""Features: the right numbers, the model untouched, and a cache that is never believed wrongly."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from course_utils import paths
from course_utils.errors import BadData, CourseError, UnknownName
from course_utils.pretrained import (
    Features,
    Images,
    extract_features,
    find_head,
    freeze,
    linear_probe,
    load_dataset,
    load_model,
    preprocessing,
    replace_head,
)
from course_utils.pretrained.inference.precision import choose_precision

SIZE = 64        # pixels: enough for every layer to see something, a tenth of the work


@pytest.fixture
def model(lite0):
    return lite0


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Images:
    """Six pictures in files, of shapes that differ."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for i in range(6):
        coarse = Image.fromarray(rng.integers(0, 255, (5, 6, 3), dtype=np.uint8))
        coarse.resize((90 + 10 * i, 80), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return Images(sorted(folder.glob("*.png")), [0, 1, 2, 0, 1, 2], ["a", "b", "c"])


def cached_files() -> list[Path]:
    return sorted((paths.cache() / "features").glob("*"))


def count_runs(model) -> list[int]:
    """A list that grows by the batch size whenever the network runs."""
    runs: list[int] = []
    model.conv_stem.register_forward_hook(lambda module, inputs, output: runs.append(len(output)))
    return runs


# The right numbers ---------------------------------------------------------------------------------

def test_pooled_is_what_goes_into_the_head(model, images):
    features = extract_features(model, images, size=SIZE, precision="float32")
    prepare = preprocessing(model, size=SIZE)
    with torch.no_grad():
        batch = torch.stack([prepare(picture) for picture, _ in images])
        expected = model.forward_head(model.forward_features(batch), pre_logits=True)
    torch.testing.assert_close(features.x, expected, atol=1e-4, rtol=1e-4)
    assert features.x.dtype == torch.float32 and features.x.shape == (6, 1280)
    assert features.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert features.paths == images.paths and features.classes == ("a", "b", "c")


def test_the_head_turns_pooled_features_into_the_models_scores(model, images):
    features = extract_features(model, images, size=SIZE, precision="float32")
    prepare = preprocessing(model, size=SIZE)
    with torch.no_grad():
        scores = model(torch.stack([prepare(picture) for picture, _ in images]))
        torch.testing.assert_close(model.classifier(features.x), scores, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name, width", [
    ("torchvision/resnet18", 512), ("torchvision/mobilenet_v3_small", 1024),
    ("torchvision/densenet121", 1024),
    ("torchvision/convnext_tiny", 768), ("torchvision/swin_t", 768)])
def test_pooled_features_work_in_every_family(name, width):
    model = load_model(name, random_init=True)
    with torch.no_grad():
        batch = torch.randn(2, 3, SIZE, SIZE)
        expected = model(batch)
        features = extract_features(model, [(batch, torch.zeros(2, dtype=torch.long))], precision="float32")
        assert features.x.shape == (2, width)
        torch.testing.assert_close(model.get_submodule(find_head(model))(features.x), expected,
                                   atol=1e-4, rtol=1e-4)


def test_a_named_layer_is_averaged_over_space(model, images):
    features = extract_features(model, images, layer="blocks.2", size=SIZE, precision="float32")
    prepare = preprocessing(model, size=SIZE)
    with torch.no_grad():
        maps = model.bn1(model.conv_stem(torch.stack([prepare(picture) for picture, _ in images])))
        expected = model.blocks[:3](maps).mean(dim=(2, 3))
    torch.testing.assert_close(features.x, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", [(2, 5, 4, 4), (2, 5, 3, 4), (2, 4, 4, 5), (2, 7, 5), (2, 5)])
def test_maps_and_tokens_become_one_vector(shape):
    layer = nn.Identity()
    features = extract_features(nn.Sequential(layer, nn.Flatten()),
                                [(torch.randn(shape), torch.zeros(2, dtype=torch.long))], layer="0")
    assert features.x.shape == (2, 5)


def test_an_unknown_layer_gets_the_nearest_names(model, images):
    with pytest.raises(UnknownName, match=r"blocks\.9.*Did you mean .*'blocks\.\d"):
        extract_features(model, images, layer="blocks.9")


def test_features_of_the_same_pictures_are_the_same(model, images):
    first, second = (extract_features(model, images, size=SIZE, cache=False) for _ in range(2))
    assert torch.equal(first.x, second.x)


def test_batches_do_not_change_the_features(model, images):
    one = extract_features(model, images, size=SIZE, batch_size=1, precision="float32", cache=False)
    many = extract_features(model, images, size=SIZE, batch_size=6, precision="float32", cache=False)
    torch.testing.assert_close(one.x, many.x, atol=1e-4, rtol=1e-4)


def test_bfloat16_agrees_with_float32(model):
    from skimage import data
    names = ["chelsea", "coffee", "rocket", "astronaut"]
    pictures = [Image.fromarray(getattr(data, name)()) for name in names]
    images = Images(names, [0, 1, 0, 1], ["a", "b"], pictures=pictures)
    exact, rough = (extract_features(model, images, precision=precision)
                    for precision in ("float32", "bfloat16"))
    assert F.cosine_similarity(exact.x, rough.x).min() >= 0.999
    assert not torch.equal(exact.x, rough.x) and rough.x.dtype == torch.float32


def test_bfloat16_everywhere_would_agree_less(model):
    """Why the first convolutions stay in float32."""
    from skimage import data
    batch = preprocessing(model, size=96)(Image.fromarray(data.chelsea())).unsqueeze(0)
    labels = torch.zeros(1, dtype=torch.long)
    exact, mixed = (extract_features(model, [(batch, labels)], precision=precision).x
                    for precision in ("float32", "bfloat16"))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        everywhere = model.forward_head(model.forward_features(batch), pre_logits=True).float()
    assert F.cosine_similarity(exact, mixed) > F.cosine_similarity(exact, everywhere)


def test_auto_is_bfloat16_only_where_the_processor_computes_in_it(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert choose_precision("auto", cpu) == "float32"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert choose_precision("auto", cpu) == "bfloat16"
    assert choose_precision("float32", cpu) == "float32"
    with pytest.raises(UnknownName, match="float32"):
        choose_precision("float23", cpu)


def test_large_photographs_are_decoded_at_a_fraction_and_seen_the_same(model, tmp_path):
    """Mosaics of photographs, so that there is as much detail as a camera gives."""
    from skimage import data
    tiles = [Image.fromarray(getattr(data, name)()) for name in ("chelsea", "coffee", "rocket", "astronaut")]
    paths = []
    for i, count in enumerate((3, 4)):
        mosaic = Image.new("RGB", (300 * count, 300 * count))
        for place in range(count * count):
            tile = tiles[(i + place + place // count) % 4].resize((300, 300))
            mosaic.paste(tile, (place % count * 300, place // count * 300))
        paths.append(tmp_path / f"{i}.jpg")
        mosaic.save(paths[-1], quality=90)
    files = Images(paths, [0, 1], ["a", "b"])
    whole = Images(paths, [0, 1], ["a", "b"], pictures=[picture for picture, _ in files])
    prepare = preprocessing(model, size=96)
    assert files.decoded_to(prepare.enough)[1][0].width == whole[1][0].width / 2
    seen, exact = (extract_features(model, images, size=96, precision="float32") for images in (files, whole))
    assert F.cosine_similarity(seen.x, exact.x).min() >= 0.999
    assert not torch.equal(seen.x, exact.x)


# Views ---------------------------------------------------------------------------------------------

def test_views_follow_each_other_and_differ(model, images):
    features = extract_features(model, images, views=3, size=SIZE, cache=False)
    assert features.x.shape == (18, 1280)
    assert features.y.tolist() == [0, 1, 2, 0, 1, 2] * 3 and features.paths == images.paths * 3
    first, second = features.x[:6], features.x[6:12]
    assert F.cosine_similarity(first, second).max() < 0.9999


def test_views_are_the_same_every_time_and_draw_nothing_from_the_caller(model, images):
    torch.manual_seed(1)
    first = extract_features(model, images, views=2, size=SIZE, cache=False)
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(3)), "the caller's random numbers went on as if nothing had happened"
    second = extract_features(model, images, views=2, size=SIZE, batch_size=4, cache=False)
    torch.testing.assert_close(first.x, second.x, atol=1e-3, rtol=1e-3)


# The model is left as it was -----------------------------------------------------------------------

def state(model):
    return ({name: module.training for name, module in model.named_modules()},
            {name: (p.requires_grad, p.stride(), p.device, p.dtype) for name, p in model.named_parameters()},
            {name: value.clone() for name, value in model.state_dict().items()},
            [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()])


def assert_same_state(before, after):
    assert before[:2] == after[:2] and before[3] == after[3]
    assert all(torch.equal(before[2][name], after[2][name]) for name in before[2])


@pytest.mark.parametrize("layer", ["pooled", "blocks.2"])
def test_the_model_is_left_as_it_was(model, images, layer):
    freeze(model)
    model.train()
    model.blocks[1].eval()
    replace_head(model, 3)
    before = state(model)
    extract_features(model, images, layer=layer, size=SIZE)
    assert_same_state(before, state(model))


def test_the_model_is_left_as_it_was_when_a_picture_is_broken(model, images, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(Path(images.paths[0]).read_bytes()[:300])
    before = state(model.train())
    with pytest.raises(CourseError, match=r"broken\.png"):
        extract_features(model, Images([*images.paths, broken], [0] * 7, images.classes), size=SIZE)
    assert_same_state(before, state(model))
    assert not cached_files()


def test_the_model_is_left_as_it_was_when_writing_fails_and_someone_keeps_the_traceback(model, images,
                                                                                        monkeypatch):
    """As a notebook does: what the error's frames hold on to is not given back until the next error."""
    def fail(rows, x):
        raise KeyboardInterrupt

    monkeypatch.setattr("course_utils.pretrained.features.cache.Rows.append", fail)
    before = state(model.train())
    for data in (images, [(torch.randn(9, 3, SIZE, SIZE), torch.zeros(9, dtype=torch.long))]):
        with pytest.raises(KeyboardInterrupt) as kept:
            extract_features(model, data, batch_size=2) if data is images else extract_features(model, data)
        assert_same_state(before, state(model))
        assert kept.tb


def test_features_carry_no_gradients_and_can_be_trained_on(model, images):
    features = extract_features(model, images, size=SIZE)
    assert not features.x.requires_grad and not features.x.is_inference()
    nn.Linear(1280, 3)(features.x).sum().backward()


# The cache -----------------------------------------------------------------------------------------

def test_the_second_time_only_one_picture_is_looked_at(model, images):
    runs = count_runs(model)
    first = extract_features(model, images, size=SIZE, precision="float32")
    assert sum(runs) == 6 and len(cached_files()) == 1
    runs.clear()
    second = extract_features(model, images, size=SIZE, precision="float32")
    assert runs == [1] and torch.equal(first.x, second.x)


def test_without_cache_nothing_is_kept(model, images):
    runs = count_runs(model)
    for _ in range(2):
        extract_features(model, images, size=SIZE, precision="float32", cache=False)
    assert sum(runs) == 12 and not cached_files()


def nudge_a_weight(model):
    with torch.no_grad():
        model.blocks[3][0].conv_pw.weight[0, 0] += 1e-3


def nudge_a_buffer(model):
    model.bn1.running_mean[0] += 1e-3


def change_an_activation(model):
    model.bn1.act = nn.GELU()


def change_a_setting(model):
    model.bn1.eps = 0.5


@pytest.mark.parametrize("change", [nudge_a_weight, nudge_a_buffer, change_an_activation, change_a_setting])
def test_a_changed_model_gets_fresh_features(model, images, change):
    old = extract_features(model, images, size=SIZE, precision="float32")
    change(model)
    new = extract_features(model, images, size=SIZE, precision="float32")
    assert torch.equal(new.x, extract_features(model, images, size=SIZE, precision="float32", cache=False).x)
    assert not torch.equal(new.x, old.x)


def test_a_changed_forward_gets_fresh_features_though_no_weight_changed(model, images):
    old = extract_features(model, images, size=SIZE)
    plain = model.forward_features
    model.forward_features = lambda x: plain(x).square()
    new = extract_features(model, images, size=SIZE)
    assert len(cached_files()) == 1, "the same key: only looking tells the difference"
    assert not torch.allclose(new.x, old.x)


def test_another_head_does_not_need_fresh_features(model, images):
    runs = count_runs(model)
    extract_features(model, images, size=SIZE, precision="float32")
    replace_head(model, 3)
    extract_features(model, images, size=SIZE, precision="float32")
    assert sum(runs) == 7


@pytest.mark.parametrize("options", [{"size": 96}, {"size": SIZE, "precision": "bfloat16"},
                                     {"size": SIZE, "views": 2}, {"size": SIZE, "layer": "blocks.2"}])
def test_other_options_have_a_file_of_their_own(model, images, options):
    extract_features(model, images, size=SIZE, precision="float32")
    extract_features(model, images, **{"precision": "float32", **options})
    assert len(cached_files()) == 2


def test_other_pictures_get_fresh_features(model, images):
    extract_features(model, images, size=SIZE)
    features = extract_features(model, images.subset([0, 2, 1, 3, 4, 5]), size=SIZE)
    assert len(cached_files()) == 2
    expected = extract_features(model, images, size=SIZE).x[[0, 2, 1, 3, 4, 5]]
    torch.testing.assert_close(features.x, expected, atol=1e-3, rtol=1e-3)


def torn(content: bytes) -> bytes:
    return content[:len(content) // 2]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2          # within the numbers, which torch does not check
    return content[:middle] + bytes([content[middle] ^ 0x40]) + content[middle + 1:]


@pytest.mark.parametrize("harm", [torn, flipped, lambda content: b"", lambda content: b"something else"])
def test_a_damaged_file_is_found_and_made_again(model, images, harm, capsys):
    first = extract_features(model, images, size=SIZE)
    [file] = cached_files()
    file.write_bytes(harm(file.read_bytes()))
    assert torch.equal(extract_features(model, images, size=SIZE).x, first.x)
    assert "damaged" in capsys.readouterr().out
    runs = count_runs(model)
    extract_features(model, images, size=SIZE)
    assert runs == [1]


def test_the_file_of_other_features_is_not_taken_for_these(model, images):
    extract_features(model, images, size=SIZE)
    [small] = cached_files()
    extract_features(model, images, size=96)
    [other] = set(cached_files()) - {small}
    other.write_bytes(small.read_bytes())
    again = extract_features(model, images, size=96)
    assert torch.equal(again.x, extract_features(model, images, size=96, cache=False).x)


def test_a_cache_that_cannot_be_written_loses_no_features(model, images, monkeypatch, tmp_path, capsys):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(blocked))
    assert len(extract_features(model, images, size=SIZE)) == 6
    assert "could not be stored" in capsys.readouterr().out


# What comes in -------------------------------------------------------------------------------------

def test_a_loader_passes_untouched(model, images):
    prepare = preprocessing(model, size=SIZE)
    batch = torch.stack([prepare(picture) for picture, _ in images])
    loader = DataLoader(TensorDataset(batch, torch.tensor(images.labels)), batch_size=4)
    features = extract_features(model, loader, precision="float32")
    expected = extract_features(model, images, size=SIZE, precision="float32", cache=False)
    torch.testing.assert_close(features.x, expected.x, atol=1e-4, rtol=1e-4)
    assert torch.equal(features.y, expected.y) and features.paths == ()


BATCH, LABELS = torch.zeros(2, 3, SIZE, SIZE), torch.zeros(2, dtype=torch.long)
WRONG = {
    "empty pictures": (lambda i: i.subset([]), {}, "no pictures"),
    "an empty loader": (lambda i: DataLoader(TensorDataset(BATCH[:0], LABELS[:0])), {}, "no pictures"),
    "a loader of pictures": (lambda i: DataLoader(i), {}, "Images.*themselves"),
    "a set of tensors": (lambda i: TensorDataset(BATCH, LABELS), {}, "DataLoader"),
    "a tensor without labels": (lambda i: [BATCH], {}, r"batches of \(inputs, labels\)"),
    "raw pixels": (lambda i: [(BATCH.byte(), LABELS)], {}, "uint8.*preprocessing"),
    "no batch dimension": (lambda i: [(BATCH[0], LABELS)], {}, "unsqueeze"),
    "grey tensors": (lambda i: [(BATCH[:, :1], LABELS)], {}, r"cannot take inputs of shape \(2, 1, 64, 64\)"),
    "a size for a loader": (lambda i: [(BATCH, LABELS)], {"size": 96}, "size is for Images"),
    "views of a loader": (lambda i: [(BATCH, LABELS)], {"views": 2}, "views is for Images"),
    "no views": (lambda i: i, {"views": 0}, "views is a whole number"),
    "half a batch": (lambda i: i, {"batch_size": 0.5}, "batch_size is a whole number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_said_in_words(model, images, case):
    data, options, words = WRONG[case]
    with pytest.raises(CourseError, match=words):
        extract_features(model, data(images), **options)


def test_a_whole_data_set_is_answered_with_its_splits(model):
    with pytest.raises(CourseError, match=r"data\.train"):
        extract_features(model, load_dataset("faces"))


# The probe -----------------------------------------------------------------------------------------

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


def test_the_probe_minimises_what_it_says():
    """Against scikit-learn's logistic regression on the same scaled features: C = 1 / (strength · N)."""
    from sklearn.linear_model import LogisticRegression
    train, val, strength = clouds(120, spread=2), clouds(60, seed=1, spread=2), 0.03
    probe = linear_probe(train, val, strengths=[strength])
    x = (train.x - train.x.mean(0)).double()
    scale = x.square().mean().sqrt()
    theirs = LogisticRegression(C=1 / (strength * len(x)), tol=1e-9, max_iter=10_000)
    theirs.fit((x / scale).numpy(), train.y.numpy())
    np.testing.assert_allclose((probe.weight * scale).numpy(), theirs.coef_, atol=1e-3)


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


def test_a_probe_takes_about_a_second_and_leaves_the_threads():
    train, val = clouds(300, 1280, 5, spread=6), clouds(100, 1280, 5, seed=1, spread=6)
    threads, start = torch.get_num_threads(), time.process_time()
    linear_probe(train, val)
    assert time.process_time() - start < 1.5
    assert torch.get_num_threads() == threads


def test_the_probe_does_not_load_scikit_learn():
    import subprocess
    import sys
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
