"""compare: runs side by side on the test images that they share."""
import csv
import json
import math
import os
import shutil

import pictures
from place import strict_json
from program import unchanged


def predictions(run):
    with open(os.path.join(run, "predictions.csv"), newline="") as f:
        return list(csv.DictReader(f))


def write_run(folder, answers, classes=pictures.CLASSES, network="ResNet-18 (v1.5)"):
    """A RUN folder as far as compare reads it. `answers`: (id, label, predicted), and the path where it is not the id."""
    os.makedirs(folder)
    right = sum(a[1] == a[2] for a in answers)
    for name, content in (("config.json", {"program": "xferrun", "network": network, "classes": list(classes)}),
                          ("evaluation.json", {"images": len(answers), "top1": right / len(answers),
                                               "top1_interval": [0.25, 0.75], "macro_f1": 0.5})):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(content, f)
    with open(os.path.join(folder, "predictions.csv"), "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["id", "label", "predicted", "probability", "path"])
        out.writerows([a[0], a[1], a[2], 0.5, a[3] if len(a) > 3 else a[0]] for a in answers)
    return folder


def answers(right, wrong=(), label="blob"):
    """Ids that were got right and wrong."""
    return [(i, label, label) for i in right] + [(i, label, "rise") for i in wrong]


def exact_p(b, c):
    return min(1, 2 * sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c))


def case_predictions_of_the_test_part(place):
    """They are those of predict, and their figures those of evaluation.json."""
    run = place.finished_run
    rows = predictions(run)
    with open(os.path.join(run, "split.csv"), newline="") as f:
        test = [(r["path"], r["label"], r["id"]) for r in csv.DictReader(f) if r["split"] == "test"]
    assert [(r["path"], r["label"], r["id"]) for r in rows] == test, rows
    said = [strict_json(line) for line in
            place.run("predict", run, *(os.path.join(place.data, r["path"]) for r in rows)).stdout.splitlines()]
    assert [r["predicted"] for r in rows] == [line["label"] for line in said]
    assert all(abs(float(r["probability"]) - line["probability"]) < 1e-5 for r, line in zip(rows, said))
    with open(os.path.join(run, "evaluation.json")) as f:
        e = strict_json(f.read())
    assert sum(r["label"] == r["predicted"] for r in rows) / len(rows) == e["top1"]


def case_compare_trained_runs(place):
    split = os.path.join(place.finished_run, "split.csv")
    place.tune("--split-file", split, "--seed", 8, out="other")
    place.tune("--leave-glitches-out", 3, out="folds")
    runs = [place.finished_run, place.path("other"), place.path("folds")]
    folds = [predictions(os.path.join(runs[2], f"fold-{n}")) for n in (1, 2, 3)]
    assert predictions(runs[2]) == sum(folds, []) and len(predictions(runs[2])) == 30
    found = strict_json(place.run("compare", *runs, "--json").stdout)
    assert [r["run"] for r in found["runs"]] == runs and [r["images"] for r in found["runs"]] == [6, 6, 30], found
    assert [p["images"] for p in found["pairs"]] == [6, 6, 6] and found["matched_by"] == "glitch"
    right = [{r["id"]: r["label"] == r["predicted"] for r in predictions(run)} for run in runs]
    for pair, (a, b) in zip(found["pairs"], ((0, 1), (0, 2), (1, 2))):
        both = [(right[a][i], right[b][i]) for i in right[0]]
        counted = [pair[k] for k in ("both_right", "only_first", "only_second", "both_wrong")]
        assert counted == [both.count(x) for x in ((True, True), (True, False), (False, True), (False, False))], found
        assert abs(pair["p"] - exact_p(counted[1], counted[2])) < 1e-12
    # A run that is replaced takes its predictions with it.
    place.tune("--test-fraction", 0, "--force", out="other")
    assert not os.path.exists(place.path("other", "predictions.csv"))
    place.refuses(66, "compare", *runs[:2], names=["other/evaluation.json", "--test-fraction"])


def case_views_are_matched_by_glitch(place):
    data = pictures.gravity_spy(place.path("set.h5"))
    for view in ("all", "merged", "single:1.0"):
        place.tune("--view", view, data=data, out=view)
    assert [(r["id"], r["path"]) for r in predictions(place.path("all"))] == [(f"{c}5", f"{c}5") for c in pictures.CLASSES]
    found = strict_json(place.run("compare", "all", "merged", "single:1.0", "--json").stdout)
    assert [p["images"] for p in found["pairs"]] == [3, 3, 3] and found["matched_by"] == "glitch", found


def case_known_numbers(place):
    """Of 30 common glitches 10 both right, 1 only A, 9 only B, 10 neither: 2 (1 + 10) / 2^10."""
    ids = [f"g{i}" for i in range(40)]
    write_run(place.path("a"), answers(ids[:11], ids[11:30]))
    write_run(place.path("b"), answers(ids[1:20] + ids[30:], [ids[0], *ids[20:30]]))
    pair = {"first": "a", "second": "b", "images": 30, "both_right": 10, "only_first": 1, "only_second": 9, "both_wrong": 10,
            "p": 22 / 1024, "p_holm": 22 / 1024}
    found = strict_json(place.run("compare", "a", "b", "--json").stdout)
    (known,) = found["pairs"]
    assert known.keys() == pair.keys() and all(v == pair[k] or abs(v - pair[k]) < 1e-12 for k, v in known.items()), known
    text = place.run("compare", "a", "b").stdout
    assert "0.021" in text and "Holm" not in text and "runs 2" in text and "ResNet-18" in text, text
    # A third that answers as the second does: its pairs have the same p, and that of no difference is 1.
    write_run(place.path("c"), answers(ids[1:20], [ids[0], *ids[20:30]]))
    pairs = strict_json(place.run("compare", "a", "b", "c", "--json").stdout)["pairs"]
    assert [round(p["p_holm"] * 1024, 9) for p in pairs] == [66, 66, 1024] and pairs[2]["p"] == 1, pairs
    assert "Holm" in place.run("compare", "a", "b", "c").stdout


def case_classes_that_differ(place):
    write_run(place.path("a"), answers(["x", "y"]), classes=["blob", "rise"])
    write_run(place.path("b"), [("x", "blob", "Chirp"), ("y", "blob", "blob")], classes=["Chirp", "blob", "rise"])
    found = strict_json(place.run("compare", "a", "b", "--json").stdout)
    assert [r["unknown_classes"] for r in found["runs"]] == [["Chirp"], []], found
    assert found["pairs"][0]["only_first"] == 1 and found["pairs"][0]["both_right"] == 1
    assert "run 1 does not know" in place.run("compare", "a", "b").stdout


def case_several_images_of_a_glitch(place):
    write_run(place.path("a"), [("g", "blob", "blob", "g_0.5.png"), ("g", "blob", "rise", "g_1.0.png")])
    write_run(place.path("b"), [("g", "blob", "rise", "g_1.0.png"), ("g", "blob", "blob", "g_4.0.png")])
    found = strict_json(place.run("compare", "a", "b", "--json").stdout)
    assert found["matched_by"] == "image" and found["pairs"][0]["images"] == 1 and found["pairs"][0]["both_wrong"] == 1
    assert "several of one glitch" in place.run("compare", "a", "b").stdout


def case_compare_refuses(place):
    good = write_run(place.path("good"), answers(["x", "y"]))
    write_run(place.path("apart"), answers(["z"]))
    write_run(place.path("labels"), answers(["x", "y"], label="line"))
    place.refuses(2, "compare", good, names=["two"])
    place.refuses(2, "compare", good, os.path.join(good, "..", "good"), names=["twice"])
    place.refuses(2, "compare", good, good + "/", names=["twice"])
    place.refuses(65, "compare", good, "apart", names=["good", "apart", "--split-file"])
    place.refuses(65, "compare", good, "labels", names=["labels/predictions.csv", "x", "line", "blob", good])
    place.refuses(66, "compare", good, "gone", names=["gone", "fine-tune"])

    def refuses(code, names, change):
        shutil.rmtree(place.path("bad"), ignore_errors=True)
        shutil.copytree(good, place.path("bad"))
        change(place.path("bad"))
        with unchanged(place.here):
            place.refuses(code, "compare", good, "bad", names=names)

    def writes(name, text):
        return lambda run: pictures.write(os.path.join(run, name), text)

    refuses(66, ["bad/predictions.csv", "train again"], lambda run: os.remove(os.path.join(run, "predictions.csv")))
    refuses(66, ["bad/evaluation.json", "--test-fraction"], lambda run: os.remove(os.path.join(run, "evaluation.json")))
    refuses(66, ["bad/config.json", "fine-tune"], lambda run: os.remove(os.path.join(run, "config.json")))
    refuses(66, ["bad", "seed"], writes("evaluation.json", '{"images": 2, "seeds": []}'))
    refuses(65, ["bad/evaluation.json", "JSON"], writes("evaluation.json", "{"))
    refuses(65, ["bad/evaluation.json", "top1"], writes("evaluation.json", '{"images": 2, "top1": "high"}'))
    refuses(65, ["bad/config.json", "network"], writes("config.json", "{}"))
    head = "id,label,predicted,probability,path\n"
    refuses(65, ["bad/predictions.csv", "1", "2"], writes("predictions.csv", head + "x,blob,blob,0.5,x\n"))
    refuses(65, ["bad/predictions.csv:3", "x"], writes("predictions.csv", head + "x,blob,blob,0.5,x\n" * 2 + ""))
    refuses(65, ["bad/predictions.csv", "predicted"], writes("predictions.csv", "id,label,path\nx,blob,x\n"))
