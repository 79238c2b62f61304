"""Which images train and which are kept: split files, folds, parts that a class does not have."""
import csv
import os
import shutil

import pictures
from place import metrics, strict_json
from program import unchanged


def rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def write_rows(path, table):
    with open(path, "w", newline="") as f:
        out = csv.DictWriter(f, ["path", "label", "split", "id"])
        out.writeheader()
        out.writerows(table)
    return path


def evaluation(*folder):
    with open(os.path.join(*folder, "evaluation.json")) as f:
        return strict_json(f.read())


def case_default_split(place):
    """A tenth and a fifth of each class's glitches."""
    parts = [(r["label"], r["split"]) for r in rows(os.path.join(place.finished_run, "split.csv"))]
    for c in pictures.CLASSES:
        assert [parts.count((c, p)) for p in ("train", "val", "test")] == [7, 1, 2], parts


def case_split_file_is_used(place):
    table = [{**r, "split": ("test", "val", "train", "train", "train")[i % 5]}
             for i, r in enumerate(rows(os.path.join(place.finished_run, "split.csv")))]
    file = write_rows(place.path("s.csv"), table)
    place.tune("--split-file", file)
    assert rows(place.path("out", "split.csv")) == table
    assert evaluation(place.path("out"))["images"] == 6


def case_split_files_that_do_not_fit(place):
    good = rows(os.path.join(place.finished_run, "split.csv"))
    for table, names in [
        ([{**r, "split": "test"} if r["label"] == "rise" else r for r in good], ["s.csv", "rise"]),
        (good[:-1], ["s.csv", good[-1]["path"]]),
        ([{**good[0], "label": "rise"}, *good[1:]], ["s.csv:2", "rise"]),
        ([{**good[0], "split": "holdout"}, *good[1:]], ["s.csv:2", "holdout"]),
        ([good[0], *good], ["s.csv:3", good[0]["path"]]),
    ]:
        file = write_rows(place.path("s.csv"), table)
        with unchanged(place.here):
            place.refuses(65, *place.tuning("--split-file", file), names=names)
    with unchanged(place.here):
        place.refuses(66, *place.tuning("--split-file", place.path("gone.csv")), names=["gone.csv"])


def case_without_validation_the_last_epoch_counts(place):
    place.tune("--val-fraction", 0, "--epochs", 2)
    lines = metrics(place.path("out"))
    assert [line["val_loss"] for line in lines] == [None, None], lines
    assert evaluation(place.path("out"))["best_epoch"] == 2


def case_without_a_test_part(place):
    done = place.tune("--test-fraction", 0)
    assert "best.h5" in done.stdout and not os.path.exists(place.path("out", "evaluation.json"))
    place.refuses(65, "evaluate", place.path("out"), "--data", place.data, names=["test", "--split"])


def case_leave_glitches_out(place):
    done = place.tune("--leave-glitches-out", 3)
    tested = []
    for fold in (1, 2, 3):
        folder = place.path("out", f"fold-{fold}")
        parts = rows(os.path.join(folder, "split.csv"))
        tested += [r["path"] for r in parts if r["split"] == "test"]
        assert not any(r["split"] == "val" for r in parts)
        assert len(metrics(folder)) == 1 and os.path.exists(os.path.join(folder, "best.h5"))
    assert sorted(tested) == sorted(r["path"] for r in parts), "each glitch is tested once"
    whole = evaluation(place.path("out"))
    assert whole["images"] == 30 and whole["folds"] == 3, whole
    assert "interval" in done.stdout and "few images" in done.stdout, done.stdout
    with unchanged(place.path("out")):
        place.refuses(73, *place.tuning("--leave-glitches-out", 3), names=["out"])
    place.tune("--leave-glitches-out", 2, "--force")
    assert not os.path.exists(place.path("out", "fold-3"))


def case_leave_glitches_out_of_a_class_with_one(place):
    data = pictures.folder(place.path("data"), per_class=[4, 4, 1])
    with unchanged(place.here):
        place.refuses(65, *place.tuning("--leave-glitches-out", 3, data=data), names=["rise", "one glitch"])


def case_batch_larger_than_the_training_part(place):
    data = pictures.folder(place.path("data"), per_class=3)
    place.tune("--batch", 16, data=data)
    place.run("evaluate", place.path("out"), "--data", data, "--split", "all", "--batch", 500)


def case_names_that_need_quoting(place):
    """Classes with spaces, commas, quotes, accents and bytes that are no UTF-8."""
    labels = ["Koi Fish", "Blip, low", 'a "b"', "Überflieger ☃", b"caf\xe9", "-dash"]
    data = pictures.folder(place.path("data"), per_class=4, labels=labels)
    place.tune(data=data)
    run = place.path("out")
    done = place.run("evaluate", run, "--data", data, "--split", "all", "--json")
    classes = [c["label"] for c in strict_json(done.stdout)["classes"]]
    assert {"Koi Fish", "Blip, low", 'a "b"', "Überflieger ☃", "-dash"} < set(classes) and len(classes) == 6, classes
    for options in ([], ["--json"]):
        place.run("data", "inspect", data, *options)
        place.run("data", "scan", data, *options)
    images = [os.path.join(data, c, "g00.png") for c in labels[:2]]
    assert [strict_json(line)["path"] for line in place.run("predict", run, *images).stdout.splitlines()] == images
    place.run("features", run, "--data", data, "--out", place.path("f.h5"))


def ids_by_part(file):
    table = rows(file)
    return {p: {r["id"] for r in table if r["split"] == p} for p in ("train", "val", "test")}


def case_split_command(place):
    """A split of its own is written, drawn as fine-tune draws it, and used."""
    place.run("data", "split", place.data, "--out", place.path("s.csv"), "--seed", 3)
    assert rows(place.path("s.csv")) == rows(os.path.join(place.finished_run, "split.csv"))
    done = place.run("data", "split", place.data, "--out", place.path("t.csv"), "--test-fraction", 0.5, "--json")
    told = strict_json(done.stdout)["splits"]
    assert [c["test"] for c in told[0]["classes"]] == [5, 5, 5] and told[0]["file"] == place.path("t.csv"), told
    place.tune("--split-file", place.path("t.csv"))
    assert evaluation(place.path("out"))["images"] == 15
    with unchanged(place.here):
        place.refuses(73, "data", "split", place.data, "--out", place.path("s.csv"), names=["s.csv", "--force"])
        place.refuses(65, "data", "split", place.data, "--out", place.path("n.csv"), "--val-fraction", 0.6, "--test-fraction", 0.38,
                      names=["blob", "none to train on"])
    place.run("data", "split", place.data, "--out", place.path("s.csv"), "--force")
    pictures.write(place.path("s.csv"), "mine\n")
    with unchanged(place.here):
        place.refuses(73, "data", "split", place.data, "--out", place.path("s.csv"), "--force", names=["s.csv"])


def case_split_command_folds(place):
    place.run("data", "split", place.data, "--out", place.path("s.csv"), "--folds", 3)
    tested = []
    for fold in (1, 2, 3):
        parts = ids_by_part(place.path(f"s-{fold}.csv"))
        assert not parts["val"] and not parts["train"] & parts["test"]
        tested += parts["test"]
    assert len(tested) == len(set(tested)) == 30
    place.refuses(2, "data", "split", place.data, "--out", place.path("n.csv"), "--folds", 3, "--val-fraction", 0.1, names=["--val-fraction"])


def case_split_command_in_time(place):
    """Bursts of four glitches, of whatever class, a thousand seconds apart."""
    shutil.copytree(place.data, place.path("data"))
    images = [(c, i) for i in range(10) for c in pictures.CLASSES]
    table = ["path,label,gps"] + [f"data/{c}/g{i:02}.png,{c},{1e9 + 1000 * (n // 4) + n % 4}" for n, (c, i) in enumerate(images)]
    pictures.write(place.path("m.csv"), "\n".join(table) + "\n")
    burst = {f"data/{c}/g{i:02}": n // 4 for n, (c, i) in enumerate(images)}
    place.run("data", "split", place.path("m.csv"), "--out", place.path("s.csv"), "--gps-gap", 100)
    parts = {p: {burst[i] for i in ids} for p, ids in ids_by_part(place.path("s.csv")).items()}
    assert all(parts.values()) and len(parts["train"]) + len(parts["val"]) + len(parts["test"]) == 8, parts
    place.run("data", "split", place.path("m.csv"), "--out", place.path("f.csv"), "--gps-gap", 100, "--folds", 2)
    for fold in (1, 2):
        parts = ids_by_part(place.path(f"f-{fold}.csv"))
        assert not {burst[i] for i in parts["train"]} & {burst[i] for i in parts["test"]}
    with unchanged(place.here):
        for data, gap, code, names in [(place.path("m.csv"), 1e6, 65, ["m.csv", "--gps-gap"]), (place.data, 100, 65, ["GPS time", "--metadata"]),
                                       (place.path("m.csv"), 0, 2, ["--gps-gap"])]:
            place.refuses(code, "data", "split", data, "--out", place.path("n.csv"), "--gps-gap", gap, names=names)


def case_split_file_with_one_id_on_both_sides(place):
    table = rows(os.path.join(place.finished_run, "split.csv"))
    table[1] = {**table[1], "id": table[0]["id"], "split": "test"}
    table[0]["split"] = "train"
    file = write_rows(place.path("s.csv"), table)
    with unchanged(place.here):
        place.refuses(65, *place.tuning("--split-file", file), names=["s.csv:3", table[0]["id"], "train", "test"])
