"""Features: the right numbers, the model untouched, and a cache that is never believed wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from course_utils import paths
from course_utils.errors import CourseError, UnknownName
from course_utils.pretrained import (
    Images,
    extract_features,
    find_head,
    freeze,
    load_dataset,
    load_model,
    preprocessing,
    replace_head,
)
from course_utils.pretrained.features.extraction import _over_space
from course_utils.pretrained.inference.precision import choose_precision

SIZE = 64        # pixels: enough for every layer to see something, a tenth of the work


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


@pytest.mark.parametrize("shape", [(2, 5, 4, 4), (2, 5, 3, 4), (2, 7, 5), (2, 5)])
def test_maps_and_tokens_become_one_vector(shape):
    layer = nn.Identity()
    features = extract_features(nn.Sequential(layer, nn.Flatten()),
                                [(torch.randn(shape), torch.zeros(2, dtype=torch.long))], layer="0")
    assert features.x.shape == (2, 5)


@pytest.mark.parametrize("shape, pictures, last, kept", [
    ((2, 64, 64, 48), (2, 3, 256, 192), False, 64),      # (B, C, H, W), where C happens to be H
    ((2, 64, 48, 64), (2, 3, 256, 192), False, 64),      # (B, H, W, C), where C happens to be H
    ((2, 56, 56, 96), (2, 3, 224, 224), False, 96),      # inside a ConvNeXt
    ((2, 64, 64, 64), (2, 3, 256, 256), False, 64), ((2, 64, 64, 64), (2, 3, 256, 256), True, 64),
    ((2, 512, 1, 1), (2, 3, 32, 32), False, 512),
])
def test_height_and_width_are_those_in_the_proportion_of_the_pictures(shape, pictures, last, kept):
    channels_last = last or (shape[1] * pictures[3] == shape[2] * pictures[2] and shape[1:3] != shape[2:])
    marked = torch.zeros(shape)
    marked += torch.arange(shape[3]) if channels_last else torch.arange(shape[1])[:, None, None]
    found = _over_space(marked, torch.zeros(pictures), last)
    assert torch.equal(found, torch.arange(kept).float().expand(2, -1))


def test_a_layer_with_more_rows_than_pictures_is_said_in_words(images):
    model = load_model("timm/swin_tiny_patch4_window7_224", random_init=True)
    with pytest.raises(CourseError, match=r"rows for \d pictures.*window"):
        extract_features(model, images, layer="layers.0.blocks.0.attn", cache=False)


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
