"""A training to be killed; see test_resuming and tests/pretrained/forks.py.

One that ends by itself leaves its weights and losses in the checkpoint's name + ".end".
"""

import numpy as np
import torch
from PIL import Image

from course_utils.pretrained import Images, find_head, fit, freeze, load_model, parameter_groups, unfreeze
from tests.pretrained.forks import serve


def pictures(count: int, seed: int) -> Images:
    """Dark and light ones in turn."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 100, (count, 40, 40, 3), dtype=np.uint8)
    noise[1::2] += 150
    return Images([f"picture {i}" for i in range(count)], [i % 2 for i in range(count)], ("dark", "light"),
                  pictures=[Image.fromarray(pixels) for pixels in noise])


def train(path: str) -> None:
    """With everything switched on that has a state of its own."""
    train, val = pictures(24, seed=0), pictures(8, seed=1)
    model = freeze(load_model("timm/test_resnet", train.classes, dropout=0.2, random_init=True))
    unfreeze(model.get_submodule(find_head(model).rpartition(".")[0]))
    history = fit(model, train, val, epochs=6, batch_size=8, size=32, schedule="cosine", mixup=0.2, ema=0.9,
                  unfreeze_at={2: "layer4", 4: "layer3"}, patience=6, checkpoint=path, resume=True,
                  optimizer=torch.optim.AdamW(parameter_groups(model, 1e-2)))
    losses = [(epoch.train_loss, epoch.val_loss) for epoch in history.epochs]
    torch.save({"weights": model.state_dict(), "losses": losses}, path + ".end")


if __name__ == "__main__":
    serve(train)
