"""A network to try switches on, without waiting."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class SmallResNet(nn.Module):
    """A ResNet's layers by name, each a single convolution; five classes."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        for number in range(1, 5):
            layer = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()
            setattr(self, f"layer{number}", nn.Sequential(*layer))
        self.fc = nn.Linear(8, 5)

    def forward(self, images: Tensor) -> Tensor:
        maps = F.relu(self.bn1(self.conv1(images)))                                      # (N, 8, H/2, W/2)
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        return self.fc(maps.mean(dim=(2, 3)))
