"""A model leaves as files that give a stranger the same scores, and a card that makes nothing up."""

import importlib
import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import safetensors
import torch
from PIL import Image
from safetensors.torch import load_model as load_tensors
from torch import nn
from torch.nn import functional as F

from course_utils.errors import CourseError, UnknownName
from course_utils.pretrained import (
    DataCard,
    Metrics,
    evaluate,
    export,
    freeze,
    load_checkpoint,
    load_dataset,
    load_model,
    preprocessing,
    top_k,
)

TOLERANCE = 1e-4       # of the largest score; the one that `export` itself allows


@pytest.fixture(scope="module")
def exported(tmp_path_factory, _loaded_lite0):
    """Lite0 with its ImageNet weights, as files."""
    return export(_loaded_lite0, tmp_path_factory.mktemp("lite0"))


class Small(nn.Sequential):
    """A network that is exported in two seconds; it wants its pictures as Lite0 does, at 32 pixels."""

    def __init__(self, lite0):
        torch.manual_seed(0)
        super().__init__(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(8, 3))
        self.course_weights = replace(lite0.course_weights, input_size=32, resize=36)
        self.course_classes = ("ant", "bee", "wasp")


@pytest.fixture
def small(_loaded_lite0):
    return Small(_loaded_lite0)


def session(folder):
    return onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])


# The files --------------------------------------------------------------------------------------------

def test_the_onnx_file_gives_the_same_scores_for_any_number_of_pictures(exported, lite0, cat, coffee):
    prepare = preprocessing(lite0)
    pixels = torch.stack([prepare(cat), prepare(coffee)] * 2 + [prepare(cat)])
    for count in (1, 2, 5):
        with torch.inference_mode():
            expected = lite0(pixels[:count])
        found = torch.from_numpy(session(exported.folder).run(None, {"pixels": pixels[:count].numpy()})[0])
        assert (found - expected).abs().max() <= TOLERANCE * expected.abs().max()
    assert "differ by at most" in repr(exported) and "batches of 1 and 3" in repr(exported)


def test_a_stranger_with_neither_torch_nor_the_course_can_name_a_picture(exported, coffee):
    """From the metadata alone, with Pillow and NumPy."""
    running = session(exported.folder)
    facts = running.get_modelmeta().custom_metadata_map
    side, crop = json.loads(facts["resize"]), json.loads(facts["crop"])
    scale = side / min(coffee.size)
    picture = coffee.resize([int(side * scale_of / min(coffee.size)) for scale_of in coffee.size],
                            Image.Resampling[facts["interpolation"].upper()])
    left, top = ((length - crop) // 2 for length in picture.size)
    values = np.asarray(picture.crop((left, top, left + crop, top + crop)), dtype=np.float32) / 255
    values = (values - np.array(json.loads(facts["mean"]))) / np.array(json.loads(facts["std"]))
    scores = running.run(None, {"pixels": values.transpose(2, 0, 1)[None].astype(np.float32)})[0]
    assert scale < 1 and json.loads(facts["classes"])[scores.argmax()] == "espresso"


def test_the_weights_fit_into_a_fresh_model(exported, lite0):
    fresh = load_model("efficientnet_lite0", random_init=True)
    load_tensors(fresh, exported.folder / "weights.safetensors")
    assert all(map(torch.equal, fresh.state_dict().values(), lite0.state_dict().values()))
    with safetensors.safe_open(exported.folder / "weights.safetensors", framework="pt") as file:
        facts = file.metadata()
    assert facts["started_from"] == "efficientnet_lite0" and json.loads(facts["classes"])[967] == "espresso"


def test_the_course_reads_them_as_a_checkpoint(exported, lite0, coffee):
    found = load_checkpoint(exported.folder / "weights.safetensors")
    assert found.classes[967] == "espresso" and found.weights == lite0.course_weights
    assert top_k(found.model, coffee) == top_k(lite0, coffee)


def test_files_can_be_read_by_others_and_match_the_checksums(exported):
    card = (exported.folder / "README.md").read_text(encoding="utf-8")
    modes = {path.stat().st_mode for path in exported.folder.iterdir()}
    assert len(modes) == 1 and set(exported.checksums) == {"weights.safetensors", "model.onnx"}
    assert exported.checksums["model.onnx"] in card and exported.checksums["weights.safetensors"] in card
    assert {path.name for path in exported.folder.iterdir()} == {*exported.checksums, "README.md"}


def test_a_model_is_the_same_after_its_export(small, tmp_path):
    freeze(small[0]).eval()
    before = {name: value.clone() for name, value in small.state_dict().items()}
    modes = [module.training for module in small.modules()]
    export(small, tmp_path / "model")
    assert [module.training for module in small.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in small.state_dict().items())
    assert not small[0].weight.requires_grad and small[5].weight.requires_grad


def test_weights_alone_need_no_onnx(small, tmp_path, monkeypatch):
    module = importlib.import_module("course_utils.pretrained.saving.export")
    monkeypatch.setattr(module, "NEEDED", ("no_such_onnx",))
    with pytest.raises(CourseError, match=r"pip install no_such_onnx.*formats=\['safetensors'\]"):
        export(small, tmp_path / "model")
    assert not (tmp_path / "model").exists()
    done = export(small, tmp_path / "model", formats=["safetensors"])
    assert set(done.checksums) == {"weights.safetensors"} and done.agreement == ""


def test_a_file_of_an_earlier_export_does_not_stay_beside_other_weights(small, tmp_path, capsys):
    export(small, tmp_path)
    nn.init.zeros_(small[5].weight)
    done = export(small, tmp_path, formats=["safetensors"])
    assert {path.name for path in tmp_path.iterdir()} == {*done.checksums, "README.md"} and \
        "model.onnx" not in done.checksums
    assert "model.onnx was removed" in capsys.readouterr().out


def test_a_file_that_is_not_of_an_export_stays(small, tmp_path):
    """The twin."""
    (tmp_path / "model.onnx").write_bytes(b"of somebody's own")
    export(small, tmp_path, formats=["safetensors"])
    export(small, tmp_path, formats=["safetensors"])
    assert (tmp_path / "model.onnx").read_bytes() == b"of somebody's own"


def test_a_folder_in_the_home_folder_may_be_called_so(small, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert export(small, "~/model", formats=["safetensors"]).folder == tmp_path / "model"


@pytest.mark.parametrize("given", [None, "", 3])
def test_a_folder_that_is_none_is_said_in_words(small, given):
    with pytest.raises(CourseError, match="export needs the path of a folder, such as 'my_model', but got"):
        export(small, given, formats=["safetensors"])


# What is not kept -------------------------------------------------------------------------------------

class Restless(nn.Linear):
    def forward(self, x):
        return F.dropout(super().forward(x), training=True)


class Undecided(nn.Linear):
    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else x[:, :3]


@pytest.mark.parametrize("layer, said", [(Restless, "not kept"), (Undecided, "cannot be exported")])
def test_a_model_that_onnx_cannot_follow_leaves_the_earlier_files(small, tmp_path, layer, said):
    first = export(small, tmp_path)
    small[5] = layer(8, 3)
    with pytest.raises(CourseError, match=said):
        export(small, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*first.checksums, "README.md"}
    assert first.checksums["model.onnx"] in (tmp_path / "README.md").read_text()


def test_a_full_disk_leaves_nothing_torn(tmp_path):
    resource = pytest.importorskip("resource")
    model = load_model("timm/mobilenetv3_small_050", 3, random_init=True)       # 2 MB
    export(model, tmp_path, formats=["safetensors"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))                    # no file above 1 MiB
    try:
        with pytest.raises(CourseError, match="could not be written"):
            export(model.train(), tmp_path, formats=["safetensors"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_readme_that_is_not_a_card_is_never_replaced(small, tmp_path):
    (tmp_path / "README.md").write_text("# My project\n")
    with pytest.raises(CourseError, match="of its own"):
        export(small, tmp_path)
    assert (tmp_path / "README.md").read_text() == "# My project\n"


@pytest.mark.parametrize("wrong, error, said", [
    ({"formats": ["onx"]}, UnknownName, "'onnx'"), ({"formats": []}, UnknownName, "None"),
    ({"data": "flowers"}, CourseError, "load_dataset"),
    ({"metrics": 0.9}, CourseError, "evaluate"), ({"size": 2}, CourseError, "size")])
def test_what_cannot_be_exported_is_said_in_words(small, tmp_path, wrong, error, said):
    with pytest.raises(error, match=said):
        export(small, tmp_path, **{"formats": ["safetensors"], **wrong})
    with pytest.raises(CourseError, match="cannot be made: File exists"):
        (tmp_path / "file").touch()
        export(small, tmp_path / "file")


def test_a_model_whose_preprocessing_nobody_knows_is_refused(tmp_path):
    with pytest.raises(CourseError, match="Nothing is known about the weights"):
        export(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), tmp_path, formats=["safetensors"])


# The card ---------------------------------------------------------------------------------------------

def card_of(done):
    return (done.folder / "README.md").read_text(encoding="utf-8")


def test_the_card_tells_what_is_known(small, tmp_path):
    data = load_dataset("digits")
    small[5], small.course_classes = nn.Linear(8, 10), data.classes
    metrics = evaluate(small, data.val)
    card = card_of(export(small, tmp_path, formats=["safetensors"], data=data, metrics=metrics, size=48))
    for told in [data.card.source, data.card.licence, f"9. {data.classes[9]}", "the middle 48 × 48",
                 f"Accuracy {metrics.accuracy:.1%} of {metrics.n} pictures",
                 "the shorter side to 54 pixels (bicubic", "less [0.5, 0.5, 0.5]", "Apache-2.0",
                 f"torch {torch.__version__.split('+')[0]}", "`efficientnet_lite0`"]:
        assert told in card


def test_the_card_asks_for_what_nobody_told(small, tmp_path):
    small.course_classes = None
    card = card_of(export(small, tmp_path, formats=["safetensors"]))
    assert card.count("o be filled in by you") == 4         # data, results, classes, and use and limits
    assert "must not be used for: …" in card and "Accuracy" not in card


def test_random_weights_are_not_given_a_licence(tmp_path):
    model = load_model("timm/mobilenetv3_small_050", 3, random_init=True)
    card = card_of(export(model, tmp_path, formats=["safetensors"]))
    assert "`random/mobilenetv3_small_050`" in card and "random numbers" in card
    assert "apache" not in card.lower()


def test_the_card_keeps_where_your_pictures_lie_to_yourself(small, tmp_path):
    own = DataCard(name="folder:/home/me/x", title="x", kind="your pictures", description="",
                   licence="not stated", source="/home/me/x", counts={"train": 5})
    assert "/home/me" not in card_of(export(small, tmp_path, formats=["safetensors"], data=own))


def test_metrics_of_a_class_without_pictures_are_said_as_they_are(small, tmp_path):
    metrics = Metrics(loss=1.0, accuracy=0.5, per_class={"ant": 0.5, "bee": float("nan")}, calibration=0.1,
                      n=2, confusion=torch.zeros(2, 2, dtype=torch.int64))
    card = card_of(export(small, tmp_path, formats=["safetensors"], metrics=metrics))
    assert "| ant | 50.0% |\n| bee | no pictures |" in card


@pytest.mark.full
@pytest.mark.parametrize("name, size", [
    ("torchvision/resnet18", 64), ("torchvision/vgg11", 64), ("torchvision/densenet121", 64),
    ("torchvision/mobilenet_v3_small", 64), ("torchvision/regnet_y_400mf", 64),
    ("torchvision/convnext_tiny", 64), ("torchvision/vit_b_16", 224), ("torchvision/swin_t", 64),
    ("timm/test_convnext", 64), ("timm/test_vit", 160), ("timm/swin_tiny_patch4_window7_224", 224)])
def test_every_family_can_be_exported(tmp_path, name, size):
    done = export(load_model(name, 3, random_init=True), tmp_path, formats=["onnx"], size=size)
    assert session(tmp_path).get_inputs()[0].shape == ["batch", 3, size, size]
    assert "differ by at most" in done.agreement       # above the tolerance, nothing is kept
