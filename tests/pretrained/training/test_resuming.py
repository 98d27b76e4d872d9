"""A run that was stopped goes on as if it never had been; what would make it another run is refused."""

from __future__ import annotations

import random
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from course_utils.errors import CourseError, DamagedFile
from course_utils.pretrained import fit, freeze, load_checkpoint, save_checkpoint, unfreeze
from course_utils.pretrained.data.randomness import generators_of
from course_utils.pretrained.saving.facts import described
from tests.pretrained.forks import orders


def points(count: int = 40, seed: int = 0) -> TensorDataset:
    """Features that a linear layer can nearly tell apart."""
    y = torch.arange(count) % 2
    return TensorDataset(torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))
                         + (2 * y - 1)[:, None], y)


def loader(seed: int = 0, **options) -> DataLoader:
    return DataLoader(points(seed=seed), batch_size=8, **options)


def small(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def weights(model: nn.Module) -> dict:
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def stop_after(epoch: int):
    return lambda latest: latest.epoch < epoch


def train(path: Path | None, *, model=None, epochs=6, shuffled=None, make=torch.optim.Adam, **options):
    """A run on `small`, which keeps itself in `path`; returns (model, history)."""
    model = model or small()
    learning = [p for p in model.parameters() if p.requires_grad]
    data = shuffled or loader(shuffle=True)
    history = fit(model, data, loader(1), epochs=epochs, checkpoint=path, optimizer=make(learning, lr=0.05),
                  **options)
    return model, history


def losses(history) -> list:
    return [(epoch.epoch, epoch.train_loss, epoch.val_loss, epoch.rates, epoch.unfrozen)
            for epoch in history.epochs]


# Bit for bit ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [
    {}, {"make": torch.optim.SGD}, {"make": torch.optim.RMSprop},
    {"make": partial(torch.optim.SGD, momentum=0.9)},
    {"schedule": "cosine"}, {"schedule": "one-cycle"}, {"mixup": 0.4}, {"ema": 0.9}, {"patience": 6},
    {"ema": 0.9, "patience": 6, "mixup": 0.2, "schedule": "cosine", "seed": 3}],
    ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("stop", [1, 3])
def test_a_run_that_was_stopped_ends_with_the_same_bits(tmp_path, options, stop):
    never, whole = train(None, **options)
    train(tmp_path / "run.pt", on_epoch=stop_after(stop), **options)
    resumed, history = train(tmp_path / "run.pt", model=small(seed=9), resume=True, **options)
    assert same(weights(resumed), weights(never)) and losses(history) == losses(whole)
    assert history.stopped == "" and len(history.epochs) == 6


def test_without_the_optimizers_state_it_would_not(tmp_path):
    """The twin: what the optimizer remembers is part of the run."""
    never, _ = train(None)
    train(tmp_path / "run.pt", on_epoch=stop_after(3))
    contents = torch.load(tmp_path / "run.pt")
    contents["optimizer"]["state"] = {}
    torch.save(contents, tmp_path / "run.pt")
    resumed, _ = train(tmp_path / "run.pt", resume=True)
    assert not same(weights(resumed), weights(never))


def test_layers_unfrozen_before_and_after_the_stop_are_in_the_optimizer_again(tmp_path):
    def frozen():
        model = freeze(small())
        unfreeze(model[4])
        return model
    plan = {"unfreeze_at": {2: "1", 4: ("0", 1e-3)}}
    never, whole = train(None, model=frozen(), **plan)
    for stop in (1, 2, 4):
        path = tmp_path / f"{stop}.pt"
        train(path, model=frozen(), on_epoch=stop_after(stop), **plan)
        resumed, history = train(path, model=frozen(), resume=True, **plan)
        assert same(weights(resumed), weights(never)) and losses(history) == losses(whole)
    assert [epoch.unfrozen for epoch in whole.epochs] == [(), ("1",), (), ("0",), (), ()]


def interrupted_at(step: int):
    """A loss during whose nth step Ctrl-C is pressed."""
    steps = []

    def loss(scores, labels):
        steps.append(1)
        if len(steps) == step:
            raise KeyboardInterrupt
        return F.cross_entropy(scores, labels)
    return loss


def only_the_head_learns() -> nn.Module:
    model = freeze(small())
    unfreeze(model[4])
    return model


@pytest.mark.parametrize("step", [8, 13, 18])
def test_the_same_cell_goes_on_after_ctrl_c_with_layers_that_are_unfrozen_by_now(tmp_path, step):
    """The model and its optimizer are as Ctrl-C left them: in the epoch that unfroze a layer, or later."""
    def run(path, model, optimizer, loss, resume=False):
        return fit(model, loader(shuffle=True), loader(1), epochs=5, optimizer=optimizer, checkpoint=path,
                   resume=resume, unfreeze_at={2: ("1", 1e-3), 4: "0"}, loss=loss)
    never = only_the_head_learns()
    run(None, never, torch.optim.Adam(never[4].parameters(), lr=0.05), loss=interrupted_at(0))
    model = only_the_head_learns()
    optimizer, loss = torch.optim.Adam(model[4].parameters(), lr=0.05), interrupted_at(step)
    run(tmp_path / "run.pt", model, optimizer, loss)
    assert len(optimizer.param_groups) > 1, "it has grown"
    assert len(run(tmp_path / "run.pt", model, optimizer, loss, resume=True).epochs) == 5
    assert same(weights(model), weights(never))
    assert len(run(tmp_path / "run.pt", model, optimizer, loss, resume=True).epochs) == 5, "and once more"


def test_an_optimizer_made_anew_of_what_is_unfrozen_by_now_is_told_what_to_run_again(tmp_path):
    model, loss = only_the_head_learns(), interrupted_at(13)
    train(tmp_path / "run.pt", model=model, unfreeze_at={2: "0"}, loss=loss)
    with pytest.raises(CourseError, match=r"In this kernel 0, which unfreeze_at names, learn already: run"):
        train(tmp_path / "run.pt", model=model, unfreeze_at={2: "0"}, loss=loss, resume=True)
    _, history = train(tmp_path / "run.pt", model=only_the_head_learns(), unfreeze_at={2: "0"}, loss=loss,
                       resume=True)
    assert len(history.epochs) == 6, "the twin: with the model made once more it goes on"


def test_layers_unfrozen_by_hand_are_in_the_optimizer_again(tmp_path):
    def run(path, stop=9, **options):
        model = freeze(small())
        unfreeze(model[4])
        optimizer = torch.optim.Adam(model[4].parameters(), lr=0.05)

        def by_hand(epoch):
            if epoch.epoch == 2:
                unfreeze(model[0], optimizer=optimizer)
            return epoch.epoch < stop
        fit(model, loader(shuffle=True), loader(1), epochs=5, optimizer=optimizer, on_epoch=by_hand,
            checkpoint=path, **options)
        return weights(model)
    run(tmp_path / "run.pt", stop=3)
    assert same(run(tmp_path / "run.pt", resume=True), run(None))


def test_a_loader_with_random_numbers_of_its_own_goes_on_with_them(tmp_path):
    def shuffled():
        return loader(shuffle=True, generator=torch.Generator().manual_seed(4))
    never, _ = train(None, shuffled=shuffled())
    train(tmp_path / "run.pt", shuffled=shuffled(), on_epoch=stop_after(3))
    resumed, _ = train(tmp_path / "run.pt", shuffled=shuffled(), resume=True)
    assert same(weights(resumed), weights(never))


def test_a_run_interrupted_in_the_middle_of_an_epoch_goes_on_from_its_last_whole_one(tmp_path):
    steps = []

    def loss(scores, labels):
        steps.append(1)
        if len(steps) == 13:
            raise KeyboardInterrupt
        return F.cross_entropy(scores, labels)
    _, stopped = train(tmp_path / "run.pt", loss=loss)
    assert stopped.stopped == "interrupted" and len(stopped.epochs) == 2
    resumed, _ = train(tmp_path / "run.pt", loss=loss, resume=True)
    assert same(weights(resumed), weights(train(None)[0]))


def test_a_run_stopped_in_its_first_epoch_begins_again_with_the_head_it_began_with(tmp_path):
    """Also where that head was drawn without a seed: resuming draws another, which plays no part."""
    steps = []

    def loss(scores, labels):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return F.cross_entropy(scores, labels)
    train(tmp_path / "run.pt", loss=loss)
    resumed, _ = train(tmp_path / "run.pt", model=small(seed=9), loss=loss, resume=True)
    assert same(weights(resumed), weights(train(None)[0]))


def test_resume_without_a_file_just_starts(tmp_path):
    started, history = train(tmp_path / "new" / "run.pt", resume=True)
    assert len(history.epochs) == 6 and same(weights(started), weights(train(None)[0]))


def test_a_run_that_is_done_is_only_read_again(tmp_path):
    done, whole = train(tmp_path / "run.pt", patience=6)
    again, history = train(tmp_path / "run.pt", model=small(seed=9), patience=6, resume=True)
    assert same(weights(again), weights(done)) and history.epochs == whole.epochs


def test_a_run_that_lost_patience_stays_ended(tmp_path):
    def ascent(scores, labels):
        return -F.cross_entropy(scores, labels)
    done, whole = train(tmp_path / "run.pt", loss=ascent, patience=2)
    again, history = train(tmp_path / "run.pt", loss=ascent, patience=2, resume=True)
    assert history.stopped == whole.stopped == "patience" and len(history.epochs) == len(whole.epochs) == 3
    assert same(weights(again), weights(done))


def test_without_a_schedule_a_run_may_be_made_longer(tmp_path):
    train(tmp_path / "run.pt", epochs=3)
    longer, _ = train(tmp_path / "run.pt", epochs=6, resume=True)
    assert same(weights(longer), weights(train(None, epochs=6)[0]))


def test_what_is_resumed_is_said(tmp_path, capsys):
    train(tmp_path / "run.pt", epochs=2)
    train(tmp_path / "run.pt", epochs=3, resume=True)
    assert capsys.readouterr().out.strip() == f"Resumed after epoch 2 of {tmp_path / 'run.pt'}."


def test_with_other_threads_it_goes_on_and_says_that_bits_may_differ(tmp_path, capsys):
    train(tmp_path / "run.pt", epochs=2)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        _, history = train(tmp_path / "run.pt", epochs=3, resume=True)
    finally:
        torch.set_num_threads(threads)
    assert f"not bit-identical to a run never stopped: threads was {threads}, is" in capsys.readouterr().out
    assert len(history.epochs) == 3


# Killed --------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def order():
    """Start a training in a process of its own, kill it after some seconds, and hear what became of it."""
    with orders(Path(__file__).with_name("resumable_run.py")) as give:
        yield give


@pytest.fixture(scope="module")
def never_killed(order, tmp_path_factory):
    """How such a run ends, and how long it takes."""
    path = tmp_path_factory.mktemp("never") / "run.pt"
    return order(path)["seconds"], torch.load(f"{path}.end")


def kill_and_resume(order, never_killed, path: Path, kills: int, rng: random.Random) -> None:
    seconds, end = never_killed
    done = 0
    while done < kills:
        done += order(path, kill_after=rng.uniform(0.01, 0.7) * seconds)["killed"]
        if Path(f"{path}.end").exists():            # it was quicker: another run for the kills that are left
            compare(path, end)
            shutil.rmtree(path.parent)
            path.parent.mkdir()
    order(path)
    compare(path, end)


def compare(path: Path, end: dict) -> None:
    resumed = torch.load(f"{path}.end")
    assert same(resumed["weights"], end["weights"]) and resumed["losses"] == end["losses"]
    assert {file.name for file in path.parent.iterdir()} == {"run.pt", "run.pt.end"}, "nothing half written"


def test_a_run_killed_three_times_ends_with_the_same_bits(order, never_killed, tmp_path):
    kill_and_resume(order, never_killed, tmp_path / "run" / "run.pt", 3, random.Random(0))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
def test_runs_killed_at_24_random_moments_end_with_the_same_bits(order, never_killed, tmp_path, seed):
    kill_and_resume(order, never_killed, tmp_path / "run" / "run.pt", 6, random.Random(seed))


# Another run ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, words", [
    ({"seed": 1}, "seed was 0, is 1"), ({"mixup": 0.3}, r"mixup was 0\.0, is 0\.3"),
    ({"ema": 0.9}, "ema was None"),
    ({"patience": 2}, "patience was None, is 2"), ({"schedule": "cosine"}, "schedule was None, is cosine"),
    ({"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}, "loss was None, is CrossEntropyLoss"),
    ({"make": torch.optim.SGD}, "optimizer was Adam, is SGD"),
    ({"make": partial(torch.optim.Adam, weight_decay=0.1)}, r"weight_decay 0, .*weight_decay 0\.1"),
    ({"unfreeze_at": {2: "0"}}, "unfreeze_at"),
    ({"shuffled": DataLoader(points(seed=5), batch_size=8)}, "training data was"),
    ({"shuffled": DataLoader(points(), batch_size=4)}, "training data was"),
    ({"shuffled": loader()}, "order of RandomSampler.*order of SequentialSampler"),
    ({"shuffled": loader(shuffle=True, generator=torch.Generator())}, "its own: 0, is .*its own: 1")])
def test_a_checkpoint_of_another_run_is_refused(tmp_path, options, words):
    train(tmp_path / "run.pt", epochs=1)
    before, model = (tmp_path / "run.pt").read_bytes(), small(seed=9)
    untouched = weights(model)
    with pytest.raises(CourseError, match=f"of another run: .*{words}.*begin anew"):
        train(tmp_path / "run.pt", model=model, epochs=2, resume=True, **options)
    assert (tmp_path / "run.pt").read_bytes() == before and same(weights(model), untouched)


def test_random_numbers_of_a_loaders_own_are_missed_before_anything_is_changed(tmp_path):
    """The twin of the last row: there they are in the file and not in the loader."""
    train(tmp_path / "run.pt", shuffled=loader(shuffle=True, generator=torch.Generator()), epochs=1)
    model = small(seed=9)
    untouched = weights(model)
    with pytest.raises(CourseError, match=r"generators of its own: 1, is .*generators of its own: 0"):
        train(tmp_path / "run.pt", model=model, epochs=2, resume=True)
    assert same(weights(model), untouched)


def test_losses_that_differ_in_a_number_only_are_told_apart(tmp_path):
    train(tmp_path / "run.pt", epochs=1, loss=nn.CrossEntropyLoss(label_smoothing=0.1))
    train(tmp_path / "run.pt", epochs=2, loss=nn.CrossEntropyLoss(label_smoothing=0.1), resume=True)
    with pytest.raises(CourseError, match=r"'label_smoothing': 0\.1.*'label_smoothing': 0\.2"):
        train(tmp_path / "run.pt", epochs=3, loss=nn.CrossEntropyLoss(label_smoothing=0.2), resume=True)


def test_losses_that_weigh_the_classes_otherwise_are_told_apart():
    one, other = (nn.CrossEntropyLoss(weight=torch.tensor(weight)) for weight in ([1.0, 2.0], [2.0, 1.0]))
    assert described(one) != described(other)
    assert described(one) == described(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0])))


def test_a_samplers_random_numbers_are_among_those_that_go_on():
    sampler = torch.Generator()
    dataset = TensorDataset(torch.zeros(4))
    drawn = WeightedRandomSampler([1.0] * 4, 4, generator=sampler)
    assert generators_of(DataLoader(dataset, sampler=drawn)) == [sampler]
    assert generators_of(DataLoader(dataset, shuffle=True, generator=sampler)) == [sampler]
    assert generators_of(DataLoader(dataset, shuffle=True)) == []


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    train(tmp_path / "run.pt", epochs=1)
    with pytest.raises(CourseError, match="do not fit this Linear"):
        train(tmp_path / "run.pt", model=nn.Linear(6, 2), epochs=2, resume=True)


def test_a_file_without_a_run_is_refused(tmp_path):
    save_checkpoint(tmp_path / "model.pt", small())
    with pytest.raises(CourseError, match=r"no run of fit to resume.*load_checkpoint"):
        train(tmp_path / "model.pt", resume=True)


def test_a_damaged_file_is_not_resumed_from(tmp_path):
    train(tmp_path / "run.pt", epochs=1)
    whole = (tmp_path / "run.pt").read_bytes()
    (tmp_path / "run.pt").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(DamagedFile, match="damaged or cut short"):
        train(tmp_path / "run.pt", resume=True)


def test_resume_without_a_path_is_said_in_words():
    with pytest.raises(CourseError, match="give the path"):
        train(None, resume=True)


def test_an_optimizer_with_parameters_of_others_is_refused(tmp_path):
    model, temperature = small(), nn.Parameter(torch.ones(1))
    with pytest.raises(CourseError, match="only parameters of the model"):
        fit(model, loader(), loader(1), epochs=1, checkpoint=tmp_path / "run.pt",
            optimizer=torch.optim.Adam([*model.parameters(), temperature]))


# The file ------------------------------------------------------------------------------------------

def test_a_path_that_cannot_be_written_is_noticed_before_training(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CourseError, match="could not be written"):
        train(tmp_path / "folder", loss=lambda scores, labels: pytest.fail("it trained"))


def test_a_new_run_under_the_same_name_does_not_lose_the_one_before(tmp_path, capsys):
    path = tmp_path / "run.pt"
    first, _ = train(path)
    second, _ = train(path, model=small(seed=1))
    assert "run.pt.old" in capsys.readouterr().out
    assert same(weights(load_checkpoint(path, small()).model), weights(second))
    assert same(weights(load_checkpoint(tmp_path / "run.pt.old", small()).model), weights(first))


def test_a_run_that_learned_nothing_takes_no_ones_place(tmp_path):
    """A cell is run again, and stopped at once: the file it wrote before its first step is no work."""
    path = tmp_path / "run.pt"

    def at_once(scores, labels):
        raise KeyboardInterrupt
    trained, _ = train(path)
    train(path, loss=at_once)
    train(path, loss=at_once)
    assert {file.name for file in tmp_path.iterdir()} == {"run.pt", "run.pt.old"}
    assert same(weights(load_checkpoint(tmp_path / "run.pt.old", small()).model), weights(trained))


def test_every_trained_run_gets_a_name_that_is_free(tmp_path):
    path = tmp_path / "run.pt"
    runs = [train(path, model=small(seed))[0] for seed in range(3)]
    for name, trained in zip(("run.pt.old", "run.pt.old2", "run.pt"), runs, strict=True):
        assert same(weights(load_checkpoint(tmp_path / name, small()).model), weights(trained))


def test_weights_of_another_kind_are_kept_though_they_tell_of_no_epoch(tmp_path):
    """The twin: only a run that `fit` itself has just begun is no work."""
    save_checkpoint(tmp_path / "run.pt", small(seed=3))
    train(tmp_path / "run.pt", epochs=1)
    assert same(weights(load_checkpoint(tmp_path / "run.pt.old", small()).model), weights(small(seed=3)))


def test_a_run_that_is_resumed_sets_nothing_aside(tmp_path):
    """The twin."""
    train(tmp_path / "run.pt", epochs=2)
    train(tmp_path / "run.pt", resume=True)
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_disk_that_fails_later_does_not_end_training(tmp_path, capsys):
    path = tmp_path / "runs" / "run.pt"

    def break_the_disk(epoch):
        if epoch.epoch == 2:
            shutil.rmtree(path.parent)
            path.parent.write_text("a file where the folder was")
    trained, history = train(path, on_epoch=break_the_disk)
    assert len(history.epochs) == 6 and same(weights(trained), weights(train(None)[0]))
    assert capsys.readouterr().out.count("could not be written: ") == 5


def test_the_file_is_for_a_stranger_too_and_has_the_weights_that_fit_hands_over(tmp_path):
    """With ema and patience these are neither the latest nor the live ones."""
    trained, history = train(tmp_path / "run.pt", ema=0.9, patience=6)
    found = load_checkpoint(tmp_path / "run.pt", small(seed=9))
    assert same(weights(found.model), weights(trained))
    assert found.epoch == history.best.epoch and found.history.epochs == history.epochs


def test_rates_that_would_not_be_readable_again_are_refused_at_once(tmp_path):
    import numpy as np
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=np.float64(0.1))
    with pytest.raises(CourseError, match=r"numpy.*float\(rate\)"):
        fit(model, loader(), loader(1), epochs=1, checkpoint=tmp_path / "run.pt", optimizer=optimizer)
    assert not list(tmp_path.iterdir())
