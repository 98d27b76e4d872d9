"""The runs of a study as textbooks do them: one after another, each with a loop over its pictures.

    python textbook_study.py RUNS.json

RUNS.json is a list of {"folder", "strategy", "size", "steps", "rate", "augment"}; a folder holds train, val
and test. A head that learns on a frozen network gets ten epochs with Adam at 1e-3, as in textbook.py; what
follows it, or stands alone, gets `steps` of 32 pictures at `rate`, and one validation. The last line is JSON:
seconds and accuracy of each run.
"""

import time

began = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import timm  # noqa: E402
import torch  # noqa: E402
from textbook import BICUBIC, NORMALIZE, accuracy, pretrained  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, RandomSampler  # noqa: E402
from torchvision import transforms  # noqa: E402
from torchvision.datasets import ImageFolder  # noqa: E402

imported = time.perf_counter()
HEAD_EPOCHS, HEAD_RATE = 10, 1e-3


def loaders(run: dict) -> dict[str, DataLoader]:
    """Of each split; and "steps", which is one epoch of as many pictures as the steps take."""
    size = run["size"]
    plain = transforms.Compose([transforms.Resize(size * 256 // 224, interpolation=BICUBIC),
                                transforms.CenterCrop(size), transforms.ToTensor(), NORMALIZE])
    augmented = transforms.Compose([
        transforms.RandomResizedCrop(size, scale=(0.5, 1.0), interpolation=BICUBIC),
        transforms.RandomHorizontalFlip(), transforms.ColorJitter(0.2, 0.2, 0.2),
        transforms.ToTensor(), NORMALIZE])

    def loader(split, transform, **order):
        pictures = ImageFolder(Path(run["folder"]) / split, transform)
        return DataLoader(pictures, batch_size=32, num_workers=2, **order)

    train = loader("train", augmented if run["augment"] else plain, shuffle=True)
    steps = RandomSampler(train.dataset, num_samples=32 * run["steps"])
    return {"train": train, "steps": DataLoader(train.dataset, 32, sampler=steps, num_workers=2),
            "val": loader("val", plain), "test": loader("test", plain)}


def learn(model: nn.Module, parts: list[nn.Module], epochs: int, rate: float, train, val) -> None:
    """`epochs` over the pictures, in which only `parts` learn."""
    model.requires_grad_(False)
    for part in parts:
        part.requires_grad_(True)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate)
    for _ in range(epochs):
        model.train()
        for images, labels in train:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        accuracy(model, val, "cpu")


def do(run: dict) -> dict:
    start = time.perf_counter()
    torch.manual_seed(0)
    data = loaders(run)
    scratch = run["strategy"] == "scratch"
    model = timm.create_model("tf_efficientnet_lite0") if scratch else pretrained()
    model.classifier = nn.Linear(model.classifier.in_features, len(data["train"].dataset.classes))
    if run["strategy"] in ("probe", "partial", "lp-ft"):
        learn(model, [model.classifier], HEAD_EPOCHS, HEAD_RATE, data["train"], data["val"])
    if run["strategy"] == "partial":
        parts = [model.blocks[6], model.conv_head, model.bn2, model.classifier]
        learn(model, parts, 1, run["rate"], data["steps"], data["val"])
    elif run["strategy"] != "probe":
        learn(model, [model], 1, run["rate"], data["steps"], data["val"])
    found = accuracy(model, data["test"], "cpu")
    seconds = time.perf_counter() - start
    print(f"{run['strategy']:8} {run['folder']}: {found:.1%} in {seconds:.1f} s", file=sys.stderr, flush=True)
    return {"seconds": seconds, "accuracy": found}


if __name__ == "__main__":
    done = [do(run) for run in json.loads(Path(sys.argv[1]).read_text())]
    print(json.dumps({"import_seconds": imported - began, "runs": done}))
