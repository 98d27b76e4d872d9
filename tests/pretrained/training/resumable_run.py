"""Trainings to be killed. Each is a fork of this process, so that torch is imported once; see test_resuming.

Reads lines of {"path": checkpoint, "kill_after": seconds or null}, answers with lines of {"killed", "failed",
"seconds"}. A training that ends by itself leaves its weights and losses in the checkpoint's name + ".end".
"""

import json
import os
import signal
import sys
import time

import numpy as np
import torch
from PIL import Image

from course_utils.pretrained import Images, find_head, fit, freeze, load_model, parameter_groups, unfreeze


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


def main() -> None:
    torch.set_num_threads(1)       # more would not survive a fork
    for line in sys.stdin:
        order = json.loads(line)
        start, child = time.monotonic(), os.fork()
        if child == 0:
            os.dup2(2, 1)          # what fit prints is no answer
            train(order["path"])
            os._exit(0)
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if order["kill_after"] and time.monotonic() - start > order["kill_after"]:
                os.kill(child, signal.SIGKILL)
                ended = os.waitpid(child, 0)
                break
            time.sleep(0.001)
        killed = os.WIFSIGNALED(ended[1])
        print(json.dumps({"killed": killed, "failed": not killed and ended[1] != 0,
                          "seconds": time.monotonic() - start}), flush=True)


if __name__ == "__main__":
    main()
