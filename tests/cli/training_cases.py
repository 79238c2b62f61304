"""What fine-tune does with its options, told by metrics.jsonl and by the tensors of best.h5."""
import math
import os
import re

import numpy as np

import pictures
from place import all_finite, metrics, same_tensors, strict_json, tensors
from program import unchanged

FIELDS = {"epoch", "train_loss", "train_top1", "val_loss", "val_top1", "val_top5", "seconds", "images_per_second"}


def best(place, out="out"):
    return place.path(out, "best.h5")


def case_run_folder(place):
    run = place.finished_run
    always = {"config.json", "split.csv", "metrics.jsonl", "best.h5", "evaluation.json", "predictions.csv", "last.h5", ".lock"}
    assert always <= set(os.listdir(run)) <= always | {"calibration.json"}, os.listdir(run)
    lines = metrics(run)
    assert [line["epoch"] for line in lines] == [1, 2, 3] and all(set(line) == FIELDS for line in lines), lines
    with open(os.path.join(run, "config.json")) as f:
        config = strict_json(f.read())
    assert config["classes"] == list(pictures.CLASSES) and config["options"]["seed"] == 3, config
    for key in ("version", "dialect", "precision", "threads"):
        assert key in config, key
    with open(os.path.join(run, "evaluation.json")) as f:
        assert strict_json(f.read())["images"] == 6
    assert all_finite(os.path.join(run, "best.h5"))


def case_it_learns(place):
    place.tune("--epochs", 8)
    lines = metrics(place.path("out"))
    assert lines[-1]["train_loss"] < lines[0]["train_loss"] / 2, lines


def case_divergence_keeps_the_best_weights(place):
    """The second epoch's rate is absurd; the first epoch's weights stay and can be used."""
    message = place.refuses(76, *place.tuning("--epochs", 3, "--schedule", "step", "--step-epochs", 1, "--step-factor", 1e30),
                            names=["epoch 2, step", "--lr"])
    assert re.search(r"step \d+", message)
    assert len(metrics(place.path("out"))) == 1 and all_finite(best(place))
    assert sorted(os.listdir(place.path("out"))) == [".lock", "best.h5", "config.json", "last.h5", "metrics.jsonl", "split.csv"]
    place.run("evaluate", place.path("out"), "--data", place.data)


def case_divergence_in_the_first_epoch(place):
    with unchanged(place.here):
        place.refuses(76, *place.tuning("--lr", 1e30), names=["epoch 1, step", "--lr"])


def case_divergence_in_the_last_step(place):
    """One update an epoch: nothing but the validation can see what it did."""
    for options in ([], ["--val-fraction", 0]):
        with unchanged(place.here):
            absurd = place.tuning("--lr", 1e38, "--weight-decay", 1e5, "--batch", 32, *options)
            place.refuses(76, *absurd, names=["epoch 1", "--lr"])


def case_early_stopping(place):
    """Nothing changes after the first epoch, so none is better."""
    place.tune("--epochs", 9, "--early-stopping", 2, "--lr", 1e-30, "--bn-momentum", 0)
    assert len(metrics(place.path("out"))) == 3


def case_freeze(place):
    start = os.path.join(place.finished_run, "best.h5")
    done = place.run(*place.tuning_from(start, "--freeze", "conv1.*", "bn1.*", "layer1.*"))
    assert "--freeze" in done.stderr, done.stderr
    changed = same_tensors(start, best(place))
    assert not [n for n in changed if n.startswith(("conv1", "bn1", "layer1"))], changed
    assert {n.split("/")[0] for n in changed} >= {"layer2.0.conv1", "layer4.1.bn2", "fc"}, changed


def case_optimizers(place):
    results = {}
    for optimizer, rate in (("sgd", 0.01), ("adam", 0.001), ("adamw", 0.001), ("adadelta", 1.0)):
        place.tune("--optimizer", optimizer, "--lr", rate, "--weight-decay", 0.01, "--epochs", 2, out=optimizer)
        lines = metrics(place.path(optimizer))
        assert lines[1]["train_loss"] < lines[0]["train_loss"], (optimizer, lines)
        results[optimizer] = lines[0]["train_loss"]
    assert len(set(results.values())) == 4, results


def case_sgd_variants(place):
    """Each option changes the outcome."""
    base = place.tune(out="base")
    assert base.returncode == 0
    for i, options in enumerate((["--nesterov"], ["--momentum", 0], ["--weight-decay", 0.1], ["--clip-norm", 0.01],
                                 ["--head-lr-factor", 10], ["--bn-momentum", 0.5], ["--label-smoothing", 0.2],
                                 ["--augment", "time-shift=0.2", "gain=0.3"])):
        place.tune(*options, out=f"r{i}")
        assert same_tensors(best(place, "base"), best(place, f"r{i}")), options


def case_schedules(place):
    last = ("--val-fraction", 0, "--bn-momentum", 0)
    place.tune(*last, out="one")
    # A rate that is nothing after the first epoch: the second changes nothing.
    place.tune(*last, "--epochs", 2, "--schedule", "step", "--step-epochs", 1, "--step-factor", 1e-30, out="step")
    assert not same_tensors(best(place, "one"), best(place, "step"))
    place.tune(*last, "--schedule", "cosine", out="cosine")
    place.tune(*last, "--warmup", 1, out="warmup")
    start = [tensors(best(place, out))["fc/fc/kernel:0"] for out in ("one", "cosine", "warmup")]
    assert not np.array_equal(start[0], start[1]) and not np.array_equal(start[0], start[2])


def case_ema(place):
    place.tune(out="plain")
    place.tune("--ema", 0.9, out="ema")
    assert metrics(place.path("plain"))[0]["train_loss"] == metrics(place.path("ema"))[0]["train_loss"], "training is the same"
    assert same_tensors(best(place, "plain"), best(place, "ema")), "the averages are what is kept"
    place.run("evaluate", place.path("ema"), "--data", place.data)


def case_accumulate(place):
    """Two steps an update: half as many updates as without."""
    place.tune("--accumulate", 2, "--batch", 4)
    assert all_finite(best(place)) and metrics(place.path("out"))[0]["train_loss"] < 2
    place.tune("--accumulate", 50, "--batch", 4, out="more")  # more than the epoch has


def case_class_weights(place):
    place.tune(out="plain")
    place.tune("--class-weights", out="weighed")
    assert not same_tensors(best(place, "plain"), best(place, "weighed")), "equal classes have equal weights"
    rare = pictures.folder(place.path("data"), per_class=[4, 12, 12])
    place.tune(data=rare, out="rare")
    place.tune("--class-weights", data=rare, out="rare_weighed")
    assert same_tensors(best(place, "rare"), best(place, "rare_weighed"))


def case_label_smoothing(place):
    """A tenth of the label stays: no prediction has less loss than the entropy of what is asked for."""
    place.tune("--label-smoothing", 0.9, "--epochs", 3)
    share, true = 0.9 / 3, 0.1 + 0.9 / 3
    least = -true * math.log(true) - 2 * share * math.log(share)
    for line in metrics(place.path("out")):
        assert line["train_loss"] >= least - 1e-6, (line, least)


def case_bf16(place):
    done = place.tune("--precision", "bf16", "--epochs", 2)
    lines = metrics(place.path("out"))
    assert all_finite(best(place)) and lines[1]["train_loss"] < lines[0]["train_loss"], lines
    with open(place.path("out", "config.json")) as f:
        precision = strict_json(f.read())["precision"]
    assert precision == "bf16" or "computing in f32" in done.stderr, (precision, done.stderr)
