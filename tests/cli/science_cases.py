"""What a figure is worth: seeds, calibration, intervals."""
import csv
import json
import os

import numpy as np

from place import strict_json
from program import unchanged


def loaded(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


def case_seeds(place):
    done = place.tune("--seeds", 3, "--seed", 5)
    whole = loaded(place.path("out"), "evaluation.json")
    runs = [place.path("out", f"seed-{s}") for s in (5, 6, 7)]
    each = [loaded(run, "evaluation.json") for run in runs]
    assert [s["seed"] for s in whole["seeds"]] == [5, 6, 7], whole
    assert [s["top1"] for s in whole["seeds"]] == [e["top1"] for e in each]
    values = np.array([e["macro_f1"] for e in each])
    assert abs(whole["macro_f1"] - values.mean()) < 1e-9
    half = 4.3027 * values.std(ddof=1) / np.sqrt(3)  # Student's t with 2 degrees of freedom
    assert np.allclose(whole["macro_f1_interval"], [values.mean() - half, values.mean() + half], atol=1e-4), whole
    assert "mean" in done.stdout and "interval" in done.stdout
    # The first is what --seed 5 alone gives, its split included.
    place.tune("--seed", 5, out="alone")
    assert loaded(place.path("alone"), "evaluation.json") == each[0]
    splits = [open(os.path.join(run, "split.csv"), encoding="utf-8").read() for run in (*runs, place.path("alone"))]
    assert splits[0] == splits[3] and splits[0] != splits[1]
    with unchanged(place.path("out")):
        place.refuses(73, *place.tuning("--seeds", 2), names=["out"])
        place.refuses(2, *place.tuning("--seeds", 2, "--leave-glitches-out", 2), names=["--seeds"])
        place.refuses(2, *place.tuning("--seeds", 1), names=["--seeds"])
    place.tune("--seeds", 2, "--force")
    assert not os.path.exists(runs[0]) and os.path.exists(place.path("out", "seed-3"))


def case_seeds_on_one_split(place):
    place.tune("--seed", 5, out="alone")
    place.tune("--seeds", 2, "--split-file", place.path("alone", "split.csv"))
    for seed in (3, 4):
        with open(place.path("out", f"seed-{seed}", "split.csv"), encoding="utf-8") as a:
            with open(place.path("alone", "split.csv"), encoding="utf-8") as b:
                assert list(csv.DictReader(a)) == list(csv.DictReader(b))


def case_intervals(place):
    e = strict_json(place.run("evaluate", place.finished_run, "--data", place.data, "--split", "all", "--json").stdout)
    for figure in ("top1", "macro_f1", "ece"):
        low, high = e[figure + "_interval"]
        assert 0 <= low <= e[figure] <= high <= 1 or figure == "ece", (figure, e)
    assert sum(b["images"] for b in e["reliability"]) == 30
    gap = sum(b["images"] * abs(b["accuracy"] - b["confidence"]) for b in e["reliability"]) / 30
    assert abs(gap - e["ece"]) < 1e-9, e


def case_temperature(place):
    """The validation part asks for one where it has mistakes as well as hits, and evaluate tells what it does."""
    run = place.own_run()
    path = os.path.join(run, "calibration.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"temperature": 2.0, "images": 3}, f)
    evaluate = ["evaluate", run, "--data", place.data, "--split", "all"]
    e = strict_json(place.run(*evaluate, "--json").stdout)
    assert e["calibrated"]["temperature"] == 2 and e["calibrated"]["loss"] != e["loss"], e
    assert "divided by 2.000" in place.run(*evaluate).stdout
    for broken in ("{}", "[]", '{"temperature": -1}', '{"temperature": "2"}', "{"):
        with open(path, "w", encoding="utf-8") as f:
            f.write(broken)
        place.refuses(65, *evaluate, names=["calibration.json", "temperature"])
    os.remove(path)
    assert "calibrated" not in strict_json(place.run(*evaluate, "--json").stdout)


def case_paper(place):
    """Without weights the one network of the table that is trained from scratch."""
    options = ["--data", place.data, "--epochs", 1, "--seeds", 2, "--device", "cpu", "--threads", 1]
    done = place.run("paper", *options, "--out", place.path("paper"))
    assert "merged_view" in done.stdout and "96.70" in done.stdout and "rehearsal" in done.stdout, done.stdout
    assert "30 glitches in 3 classes" in done.stdout and "inception_v3=FILE" in done.stderr, done.stderr
    result = loaded(place.path("paper"), "paper.json")
    (network,) = result["networks"]
    assert result["rehearsal"] and network["model"] == "merged_view" and len(network["seeds"]) == 2, result
    assert network["published"][0] == 96.7 and network["images"] == 6
    assert os.path.exists(place.path("paper", "merged_view", "seed-1", "best.h5"))
    with unchanged(place.path("paper")):
        place.refuses(73, "paper", *options, "--out", place.path("paper"), names=["paper"])
        for bad in ("vgg16", "vgg16=", "resnet18=x.h5", "merged_view=x.h5"):
            place.refuses(2, "paper", *options, "--out", place.path("other"), "--weights", bad, names=["--weights", bad])
        place.refuses(66, "paper", *options, "--out", place.path("other"), "--weights", "vgg16=gone.h5", names=["gone.h5"])
    assert not os.path.exists(place.path("other"))
