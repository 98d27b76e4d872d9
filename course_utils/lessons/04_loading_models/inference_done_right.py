"""Exercise: from a picture of any kind to five names, with everything that belongs in between."""

from __future__ import annotations

import copy

import torch
from PIL import Image
from torchvision.transforms import v2

from course_utils.lessons._guards import changed, chelsea, fresh_lite0, snapshot, torch_as_it_was
from course_utils.lessons._preparing import CLOSE, IMAGENET, RAW, UNCHANGED, apart, steps
from course_utils.pretrained import preprocessing, top_k
from course_utils.teaching import Exercise, expect

from .seeing import EQUAL, asked, mistake_in, named, near, ranked, side_by_side, truth, watched

inference_done_right = Exercise(
    "inference-done-right", lesson="04_loading_models", title="Inference done right",
    see="#Inference-done-right", minutes=10, difficulty="hard", objective="inference",
    seconds=30, guard=torch_as_it_was)


@inference_done_right.starter
def top_five(model, picture):
    """Name what EfficientNet-Lite0 sees in a PIL picture of any size and mode.

    Returns five pairs (name, probability), a text and a float, the likeliest first. `model.course_classes`
    holds the 1,000 names. The model may come in train mode: its modes and its numbers stay as they were.
    """
    ...


@inference_done_right.solved_by
def top_five(model, picture):
    """RGB and the steps of these weights, a batch of one, eval mode, no gradients, softmax over classes."""
    batch = preprocessing(model)(picture).unsqueeze(0)             # to RGB first; (1, 3, 224, 224)
    came_in_train_mode = model.training
    model.eval()
    with torch.inference_mode():
        shares = model(batch).softmax(dim=1).squeeze(0)            # (1000,), together 1
    model.train(came_in_train_mode)
    return [(model.course_classes[i], shares[i].item()) for i in shares.topk(5).indices]


@inference_done_right.alternative("in-plain-torchvision")
def top_five(model, picture):
    prepare = v2.Compose([
        v2.Resize(256, interpolation=v2.InterpolationMode.BICUBIC), v2.CenterCrop(224),
        v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])])
    came_in_train_mode = model.training
    model.eval()
    with torch.no_grad():
        shares = model(prepare(picture.convert("RGB"))[None]).softmax(dim=1)[0]
    model.train(came_in_train_mode)
    return ranked(model, shares)


@inference_done_right.alternative("with-the-course")
def top_five(model, picture):
    return [(guess.label, guess.probability) for guess in top_k(model, picture, k=5)]


@inference_done_right.alternative("on-a-copy")
def top_five(model, picture):
    ready = copy.deepcopy(model).eval()
    with torch.no_grad():
        scores = ready(preprocessing(model)(picture)[None])[0]
    shares = torch.exp(scores - scores.max())
    shares = shares / shares.sum()
    order = shares.argsort(descending=True)[:5]
    return [(model.course_classes[int(i)], float(shares[i])) for i in order]


@inference_done_right.alternative("pillow-and-arithmetic")
def top_five(model, picture):
    picture = picture.convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BICUBIC)
    left, top = ((side - 224) // 2 for side in picture.size)
    picture = picture.crop((left, top, left + 224, top + 224))
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(224, 224, 3)
    modes = [module.training for module in model.modules()]
    with torch.no_grad():
        shares = model.eval()((pixels.permute(2, 0, 1).float() / 127.5 - 1)[None]).softmax(-1)[0]
    for module, training in zip(model.modules(), modes, strict=True):
        module.training = training
    pairs = zip(model.course_classes, shares.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])[:5]


@inference_done_right.wrong("imagenet-mean-and-std", looks_like="ImageNet's mean and std are used", says=(
    "The network is given pixels normalised with ImageNet's mean and standard deviation. These weights were "
    "trained with 0.5 and 0.5: ask them, as `preprocessing(model)` or timm's config does."))
def top_five(model, picture):
    return named(model, steps(IMAGENET)(picture.convert("RGB")))


@inference_done_right.wrong("not-normalised", looks_like="normalisation is skipped", says=(
    "The network is given pixels from 0 to 1: normalisation is missing. These weights expect "
    "(pixel − 0.5) / 0.5, from −1 to 1."))
def top_five(model, picture):
    return named(model, steps(UNCHANGED)(picture.convert("RGB")))


@inference_done_right.wrong("pixels-to-255", looks_like="pixels are not divided by 255", says=(
    "The network is given numbers up to {largest:.0f}: pixels were never divided by 255."))
def top_five(model, picture):
    return named(model, steps(UNCHANGED, divide=False)(picture.convert("RGB")))


@inference_done_right.wrong("squashed", looks_like="both sides are forced to one size", says=(
    "The picture is squashed: Resize with two numbers ignores its proportions. `Resize(256)` scales the "
    "shorter side, then `CenterCrop(224)` cuts out the middle."))
def top_five(model, picture):
    return named(model, steps(resize=(224, 224))(picture.convert("RGB")))


@inference_done_right.wrong("bgr", looks_like="red and blue are swapped", says=(
    "Red and blue are swapped, as OpenCV gives them. These weights expect RGB, as PIL has it."))
def top_five(model, picture):
    return named(model, steps()(picture.convert("RGB")).flip(0))


@inference_done_right.wrong("took-rgb-for-granted", says=(
    "A picture of mode {mode} does not give what the same picture gives in RGB. Begin with "
    "`picture.convert(\"RGB\")`: files may be grey, transparent or have a palette."))
def top_five(model, picture):
    return named(model, steps()(picture))


@inference_done_right.wrong("no-batch-dimension", says=(
    "The network was given one picture, (3, 224, 224), and it takes a batch. Add the first dimension: "
    "`.unsqueeze(0)`."))
def top_five(model, picture):
    return ranked(model, asked(model, steps()(picture.convert("RGB"))).softmax(dim=0))


@inference_done_right.wrong("softmax-over-the-batch", says=(
    "Every probability is 1: softmax ran over the batch, in which this picture is alone. Classes stand in "
    "dimension 1: `softmax(dim=1)`."))
def top_five(model, picture):
    return ranked(model, asked(model, steps()(picture.convert("RGB"))[None]).softmax(dim=0)[0])


@inference_done_right.wrong("scores-not-probabilities", says=(
    "Your numbers run from {low:.1f} to {high:.1f}: these are the head's scores. `softmax(dim=1)` makes "
    "probabilities of them."))
def top_five(model, picture):
    return ranked(model, asked(model, steps()(picture.convert("RGB"))[None])[0])


@inference_done_right.wrong("no-eval", says=(
    "A model that comes in train mode gives other answers: BatchNorm uses this one picture's statistics, and "
    "changes its own. `no_grad` does not prevent that: call `model.eval()`."))
def top_five(model, picture):
    with torch.no_grad():
        return ranked(model, model(steps()(picture.convert("RGB"))[None]).softmax(dim=1)[0])


@inference_done_right.wrong("gradients-kept", says=(
    "While the model ran, PyTorch noted everything for gradients: that costs memory and time, and nothing "
    "will learn here. Eval mode does not switch it off: run the model under `torch.inference_mode()`."))
def top_five(model, picture):
    modes = [(module, module.training) for module in model.modules()]
    shares = model.eval()(steps()(picture.convert("RGB"))[None]).softmax(dim=1)[0]
    for module, training in modes:
        module.training = training
    return ranked(model, shares)


@inference_done_right.wrong("left-in-eval-mode", says=(
    "The model came in train mode and is in eval mode now: whoever trains on finds dropout and BatchNorm at "
    "rest. Note `model.training` first, and end with `model.train(that)`."))
def top_five(model, picture):
    model.eval()
    with torch.no_grad():
        return ranked(model, model(steps()(picture.convert("RGB"))[None]).softmax(dim=1)[0])


@inference_done_right.wrong("always-back-to-train-mode", says=(
    "The model came in eval mode and is in train mode now: its next answers will be wrong. Put back the mode "
    "it came in, not the one you suppose."))
def top_five(model, picture):
    guesses = ranked(model, asked(model, steps()(picture.convert("RGB"))[None]).softmax(dim=1)[0])
    model.train()
    return guesses


def small_and_upright() -> Image.Image:
    """The cat with its sides swapped, 120 × 180 pixels: any size must do."""
    return chelsea().transpose(Image.Transpose.ROTATE_90).resize((120, 180))


@inference_done_right.checks("five names with their probabilities", points=2)
def _(answer):
    model = fresh_lite0()
    with torch.no_grad():
        model.classifier.bias[0] += 20        # this model sees the first class everywhere
    guesses = watched(answer, model, chelsea()).guesses
    shares = [share for _, share in guesses]
    expect(any(abs(share - 1) > 1e-6 for share in shares), mistake="softmax-over-the-batch")
    expect(min(shares) >= 0 and max(shares) <= 1, mistake="scores-not-probabilities", low=min(shares),
           high=max(shares))
    expect(shares == sorted(shares, reverse=True), "The likeliest should come first.")
    expect(guesses[0][0] == model.course_classes[0],
           f"The model that is given says “{model.course_classes[0]}”, whatever it sees. Yours says "
           f"“{guesses[0][0]}”: is it another model, or another list of names?")


@inference_done_right.checks("the network is given what it expects", points=3)
def _(answer):
    square = chelsea().crop((0, 0, 300, 300))         # no side to be rounded: the same to a hair
    for picture, close in ((chelsea(), CLOSE), (small_and_upright(), CLOSE), (square, EQUAL)):
        model = fresh_lite0()
        right_guesses, right = truth(model, picture)         # before an answer that changes the model
        run = watched(answer, model, picture)

        def show(run=run, right_guesses=right_guesses, right=right):
            return side_by_side(run.guesses, right_guesses, run.given, right)
        if run.given is not None and (off := apart(run.given, right)) >= close:
            expect(run.given.max() < RAW, mistake="pixels-to-255", largest=run.given.max().item(), show=show)
            if mistake := mistake_in(run.given, picture):
                expect(False, mistake=mistake, show=show)
            expect(False, f"For a picture of {picture.width} × {picture.height} pixels the network is given "
                          f"other numbers than these weights expect: {tuple(run.given.shape)}, off by "
                          f"{off:.3f} on average. `preprocessing(model)` prints the steps.", show=show)
        expect(near(run.guesses, right_guesses), "These are not the probabilities of the given model.",
               show=show)


@inference_done_right.checks("any mode of picture")
def _(answer):
    for picture in (chelsea().convert("L"), chelsea().convert("RGBA"), chelsea().quantize()):
        in_rgb = watched(answer, fresh_lite0(), picture.convert("RGB")).guesses
        try:
            guesses = watched(answer, fresh_lite0(), picture).guesses
        except (RuntimeError, TypeError, ValueError):
            guesses = []
        expect(near(guesses, in_rgb), mistake="took-rgb-for-granted", mode=picture.mode)


@inference_done_right.checks("the same in train mode", points=2)
def _(answer):
    model, picture = fresh_lite0(), chelsea()
    right_guesses, right = truth(model, picture)
    before = snapshot(model.train())
    guesses = watched(answer, model, picture).guesses
    expect(near(guesses, right_guesses) and not changed(before, model), mistake="no-eval",
           show=lambda: side_by_side(guesses, right_guesses, None, right))


@inference_done_right.checks("no gradients")
def _(answer):
    expect(not watched(answer, fresh_lite0(), chelsea()).gradients, mistake="gradients-kept")


@inference_done_right.checks("the mode is what it was")
def _(answer):
    for training, mistake in ((True, "left-in-eval-mode"), (False, "always-back-to-train-mode")):
        model = fresh_lite0().train(training)
        watched(answer, model, chelsea())
        expect(all(module.training == training for module in model.modules()), mistake=mistake)


@inference_done_right.fingerprint
def _(answer):
    """The five names of the cat and their percentages."""
    return [(name, round(share, 2)) for name, share in watched(answer, fresh_lite0(), chelsea()).guesses]


inference_done_right.hints(
    "In order: RGB, resize, cut out, to 0 … 1, normalise; a batch of one; eval mode without gradients; "
    "softmax; the five largest; the mode put back.",
    "`preprocessing(model)` prepares a picture as these weights expect, (3, 224, 224). `shares.topk(5)` "
    "gives `.values` and `.indices`.",
    "`training = model.training`, `model.eval()`, `with torch.inference_mode(): shares = "
    "model(batch).softmax(dim=1).squeeze(0)`, `model.train(training)`.")
