"""What to type to get a model from torchvision, timm or torch.hub, step by step. `loader_switch` runs it."""

from __future__ import annotations

from dataclasses import dataclass

LIBRARIES = ("torchvision", "timm", "torch.hub")
STEPS = ("what is there", "what is told of the weights", "how pictures are prepared",
         "build it with random numbers", "load it with its weights")
LITE0 = "EfficientNet-Lite0"
# What each library calls an architecture, and its older and newer weights.
MODELS = {
    "ResNet-50": {"torchvision": ("resnet50", "IMAGENET1K_V1", "IMAGENET1K_V2"),
                  "timm": ("resnet50", "tv_in1k", "a1_in1k")},
    "ViT-B/16": {"torchvision": ("vit_b_16", "IMAGENET1K_V1", "IMAGENET1K_SWAG_E2E_V1"),
                 "timm": ("vit_base_patch16_224", "orig_in21k_ft_in1k", "augreg2_in21k_ft_in1k")},
    LITE0: {"timm": ("tf_efficientnet_lite0", "in1k", "in1k"),
            "torch.hub": ("efficientnet_lite0", "", "")},
}
SIZE = 'print(f"{sum(p.numel() for p in model.parameters()):,} parameters, training: {model.training}")'

TORCHVISION = ("""
import torchvision.models as models
print(models.list_models(module=models, include="*NAME*"))
print(list(models.get_model_weights("NAME").__members__))
""", """
from torchvision.models import get_model_weights
weights = get_model_weights("NAME")["TAG"]
print(weights.meta["_metrics"], weights.meta["num_params"], "parameters")
print(len(weights.meta["categories"]), "classes:", weights.meta["categories"][:3], "…")
""", """
from torchvision.models import get_model_weights
print(get_model_weights("NAME")["TAG"].transforms())
""", """
import torch
from torchvision.models import get_model
with torch.device("meta"): model = get_model("NAME", weights=None)     # shapes only, so it takes no time
SIZE
""", """
from torchvision.models import get_model
model = get_model("NAME", weights="TAG").eval()
""")

TIMM = ("""
import timm
print(timm.list_models("*NAME*")[:6])
print(timm.list_pretrained("NAME.*"))
""", """
import timm
told = timm.get_pretrained_cfg("NAME.TAG")
print(told.num_classes, "classes, input", told.input_size, "licence", told.license, "from", told.hf_hub_id)
""", """
import timm, torch
with torch.device("meta"): model = timm.create_model("NAME.TAG")
config = timm.data.resolve_model_data_config(model)
print(timm.data.create_transform(**config, is_training=False))
""", """
import timm, torch
with torch.device("meta"): model = timm.create_model("NAME", num_classes=10)     # shapes only
SIZE
""", """
import timm
model = timm.create_model("NAME.TAG", pretrained=True).eval()
""")

HERE = "import torch\nfrom course_utils import paths\n"
HUB = ("""
import torch
print(torch.hub.list("this/course:here", trust_repo=True, verbose=False))
""", """
import torch
print(torch.hub.help("this/course:here", "NAME", trust_repo=True))
""", HERE + """from course_utils.pretrained import preprocessing
model = torch.hub.load(str(paths.repository()), "NAME", source="local")
print(preprocessing(model))     # torch.hub itself has no verb for that
""", HERE + """model = torch.hub.load(str(paths.repository()), "NAME", source="local", pretrained=False)
SIZE
""", HERE + """model = torch.hub.load(str(paths.repository()), "NAME", source="local")
SIZE
""")

BUNDLED = """
import timm
from course_utils.pretrained.models.bundled import checked_file
model = timm.create_model("NAME").eval()
file = str(checked_file("efficientnet_lite0"))     # installed with the course, its checksum compared
timm.models.load_checkpoint(model, file, remap=True, use_ema=False)
SIZE
"""
NOT_THERE = """
import torchvision.models as models
print(models.list_models(include="*efficientnet_lite*"))
"""
FROM_GITHUB = """
import torch
print(torch.hub.list("pytorch/vision:COMMIT"))
print(torch.hub.help("pytorch/vision:COMMIT", "NAME"))
model = torch.hub.load("pytorch/vision:COMMIT", "NAME", weights="TAG").eval()
"""
NOT_RUN = ("Not run here: each of these verbs first downloads the repository's code. For COMMIT write all 40 "
           f"digits of one. {LITE0} shows the verbs at work, on this course's own hubconf.py.")
AS_FETCHED = ("list and help take GitHub's names only. So hubconf.py was put where torch.hub keeps what it "
              "has fetched, under the name this/course:here.")


@dataclass(frozen=True)
class Snippet:
    """Code, and what becomes of it: it is run, or `load_model` is asked for `weights`."""

    code: str
    runs: bool = True
    weights: str = ""
    remark: str = ""        # said below


def snippet(library: str, model: str, newer: bool, step: str) -> Snippet:
    """The code for one wish."""
    place = MODELS[model].get(library) or MODELS[model].get("torchvision")
    if place is None:
        return Snippet(NOT_THERE.strip(), remark=f"torchvision has no {model}: choose timm or torch.hub.")
    name, tag, number = place[0], place[1 + newer], STEPS.index(step)
    if library == "torch.hub" and model != LITE0:
        return Snippet(_filled(FROM_GITHUB, name, tag), runs=False, remark=NOT_RUN)
    if step == STEPS[-1] and library == "timm" and model == LITE0:
        return Snippet(_filled(BUNDLED, name, tag))
    code = _filled({"torchvision": TORCHVISION, "timm": TIMM, "torch.hub": HUB}[library][number], name, tag)
    if library == "torch.hub":
        return Snippet(code, remark=AS_FETCHED if number < 2 else "")
    needs_download = step == STEPS[-1]
    return Snippet(code, not needs_download, f"{library}/{name}.{tag}" if needs_download else "")


def _filled(code: str, name: str, tag: str) -> str:
    return code.strip().replace("NAME", name).replace("TAG", tag).replace("SIZE", SIZE)
