"""`demo`: the built-in network on simulated glitches."""
import json
import os
import re
import shlex

import pictures
from place import metrics, strict_json, without_times
from program import unchanged

RUNS = ("fine-tuned", "from-scratch")


def evaluation(folder):
    with open(os.path.join(folder, "evaluation.json")) as f:
        return strict_json(f.read())


def weights(folder):
    with open(os.path.join(folder, "best.h5"), "rb") as f:
        return f.read()


def case_demo_compares_and_leaves_runs_that_other_commands_take(place):
    out = place.run("demo", "--out", "d").stdout
    with open(place.path("d", "config.json")) as f:
        config = json.load(f)
    tuned, scratch = (evaluation(place.path("d", run)) for run in RUNS)
    assert tuned["images"] == scratch["images"] == 8 * 60, (tuned["images"], scratch["images"])
    assert tuned["top1"] > scratch["top1"] > 1 / 8, (tuned["top1"], scratch["top1"])
    for run, e in zip(("fine-tuned", "from scratch"), (tuned, scratch)):
        assert re.search(rf"{run} +{100 * e['top1']:.1f} % ", out), out
    pictures_of = [len(os.listdir(place.path("d", "data", kind))) for kind in os.listdir(place.path("d", "data"))]
    assert pictures_of == [config["images_per_kind"]] * 8, pictures_of

    again = strict_json(place.run("evaluate", "d/fine-tuned", "--data", "d/data", "--json").stdout)
    assert again["confusion"] == tuned["confusion"], again
    # The commands that it prints are good as they stand: each that needs nothing but what is there.
    printed = re.sub(r" \\\n *", " ", out)
    own = [line.split(None, 1)[1] for line in printed.splitlines() if line.startswith("  xferrun ") and " d/" in line]
    assert [line.split()[0] for line in own] == ["evaluate", "predict", "fine-tune"], own
    one = place.path("d", "data", "blip", "blip_0000.png")
    place.run(*(one if part.endswith("*.png") else part for part in shlex.split(own[1])))
    place.run(*shlex.split(own[2]), "--threads", 1)

    # Once more, over the first and over what a killed one leaves.
    pictures.write(place.path("d", "data", "blip", ".blip_0001.png.1-1.partial"), "")
    pictures.write(place.path("d", "notes.txt"), "mine")
    before = {run: metrics(place.path("d", run)) for run in RUNS}
    kept = {run: weights(place.path("d", run)) for run in RUNS}
    place.run("demo", "--out", "d")
    for run in RUNS:
        assert without_times(metrics(place.path("d", run))) == without_times(before[run]), run
        assert weights(place.path("d", run)) == kept[run], run
    assert open(place.path("d", "notes.txt")).read() == "mine"

    pictures.write(place.path("d", "data", "blip", "mine.png"), "mine")
    with unchanged(place.path("d")):
        place.refuses(73, "demo", "--out", "d", names=["mine.png"])


def case_demo_replaces_no_run_and_nothing_of_others(place):
    run = place.own_run()
    with unchanged(run):
        place.refuses(73, "demo", "--out", run, names=[run])
    pictures.write(place.path("mine", "a.txt"), "mine")
    with unchanged(place.path("mine")):
        place.refuses(73, "demo", "--out", "mine", names=["mine"])
