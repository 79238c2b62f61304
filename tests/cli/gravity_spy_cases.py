"""Data in Gravity Spy's layout, in every view: trained, evaluated, embedded, inspected; and files that are refused."""
import csv
import json
import os

import h5py
import numpy as np

import pictures
from place import strict_json
from program import Skip, unchanged

GLITCHES = 18  # three classes of six, of which each has one to validate and one to test


def config(run):
    with open(os.path.join(run, "config.json")) as f:
        return json.load(f)


def split_rows(run):
    with open(os.path.join(run, "split.csv"), newline="") as f:
        return list(csv.DictReader(f))


def evaluated(place, run, data, *options):
    return strict_json(place.run("evaluate", run, "--data", data, "--json", *options).stdout)


def case_the_default_view_and_the_files_own_parts(place):
    data = pictures.gravity_spy(place.path("set.h5"))
    done = place.tune(data=data)
    assert "merged" in done.stderr and "own parts" in done.stderr, done.stderr
    run = place.path("out")
    assert config(run)["view"] == "merged" and config(run)["images"] == GLITCHES
    table = split_rows(run)
    assert [r["path"] for r in table if r["split"] == "test"] == [f"{c}/test/{c}5" for c in pictures.CLASSES], table
    assert {r["id"] for r in table if r["split"] == "val"} == {f"{c}4" for c in pictures.CLASSES}
    assert evaluated(place, run, data)["images"] == 3
    assert evaluated(place, run, data, "--split", "all")["images"] == GLITCHES


def case_parts_of_ones_own(place):
    data = pictures.gravity_spy(place.path("set.h5"))
    place.tune("--val-fraction", 0, "--test-fraction", 0.5, data=data)
    parts = [r["split"] for r in split_rows(place.path("out"))]
    assert [parts.count(p) for p in ("train", "val", "test")] == [9, 0, 9], parts


def case_views(place):
    data = pictures.gravity_spy(place.path("set.h5"))
    for n, (view, images) in enumerate([("single:2.0", GLITCHES), ("stack:0.5,1.0,4.0", GLITCHES), ("all", 4 * GLITCHES)]):
        run = place.path(f"run{n}")
        place.tune("--view", view, data=data, out=f"run{n}")
        assert config(run)["view"] == view and config(run)["images"] == images
        assert len(split_rows(run)) == images
        assert evaluated(place, run, data)["images"] == 3  # glitches, whatever the view
        assert evaluated(place, run, data, "--view", view) == evaluated(place, run, data)
        place.run("features", run, "--data", data, "--out", place.path(f"{n}.h5"))
        with h5py.File(place.path(f"{n}.h5")) as f:
            assert len(f["features"]) == images and len(set(f["ids"][:])) == GLITCHES
        place.refuses(2, "evaluate", run, "--data", data, "--view", "single:0.5", names=["--view single:0.5", view])
    place.refuses(2, *place.tuning("--view", "single:3.0", data=data), names=["--view", "single:3.0", "merged"])
    place.refuses(2, *place.tuning("--view", "stack:0.5,1.0,2.0", "--model", "merged_view", "--preprocess", "unit", data=data),
                  names=["--view stack", "grey"])


def case_all_is_the_mean_of_the_durations(place):
    data = pictures.gravity_spy(place.path("set.h5"))
    place.tune("--view", "all", data=data)
    run = place.path("out")
    files = [pictures.write(place.path(f"{c}_{d}.png"), pictures.png(np.repeat(
        np.rint(255 * pictures.spectrogram(c, 20 + k)[0]).astype(np.uint8)[:, :, None], 3, axis=2)))
        for c in ("blob", "rise") for k, d in enumerate(pictures.DURATIONS)]
    lines = [strict_json(line) for line in place.run("predict", run, *files).stdout.splitlines()]
    assert [line["path"] for line in lines] == [place.path("blob"), place.path("rise")], lines
    place.run("features", "--model", "resnet18_narrow", "--weights", os.path.join(run, "best.h5"), "--view", "single:1.0",
              "--data", data, "--out", place.path("f.h5"))
    os.makedirs(place.path("folder", "blob"))
    for d in pictures.DURATIONS:
        os.rename(place.path(f"blob_{d}.png"), place.path("folder", "blob", f"x_{d}.png"))
    place.run("features", run, "--data", place.path("folder"), "--layer", "logits", "--out", place.path("l.h5"))
    with h5py.File(place.path("l.h5")) as f:
        p = np.exp(f["features"][:] - f["features"][:].max(axis=1, keepdims=True))
    p = (p / p.sum(axis=1, keepdims=True)).mean(axis=0)
    assert len(p) == 3 and abs(p.max() - lines[0]["probability"]) < 1e-5, (p, lines[0])
    place.refuses(65, "predict", run, *files[4:7], names=["rise has no image of 4.0 s"])


def case_predict_one_duration(place):
    """Files of other durations are passed over; a file that says none is taken."""
    data = pictures.gravity_spy(place.path("set.h5"))
    place.tune("--view", "single:1.0", data=data)
    files = [pictures.write(place.path(name), pictures.png(pictures.picture("blob", n)))
             for n, name in enumerate(("a_0.5.png", "a_1.0.png", "plain.png"))]
    lines = [strict_json(line) for line in place.run("predict", place.path("out"), *files).stdout.splitlines()]
    assert [line["path"] for line in lines] == files[1:], lines
    place.refuses(65, "predict", place.path("out"), files[0], names=["a has no image of 1.0 s"])


def case_views_of_a_folder(place):
    for c in pictures.CLASSES:
        for i in range(4):
            for k, d in enumerate(pictures.DURATIONS):
                pictures.write(place.path("data", c, f"g{i}_{d}.png"), pictures.png(pictures.picture(c, 4 * i + k)))
    place.tune("--view", "merged", data=place.path("data"))
    assert config(place.path("out"))["images"] == 12
    os.remove(place.path("data", "line", "g2_4.0.png"))
    with unchanged(place.path("out")):
        place.refuses(65, *place.tuning("--view", "merged", "--force", data=place.path("data")), names=["line/g2 has no image of 4.0 s"])
    done = place.tune("--view", "merged", "--on-bad-image", "skip", "--force", data=place.path("data"))
    assert "line/g2" in done.stderr and config(place.path("out"))["images"] == 11
    place.run("data", "scan", place.path("data"))  # nothing is amiss with the images as they are
    done = place.run("data", "scan", place.path("data"), "--view", "merged", code=65)
    assert "incomplete: line/g2 has no image of 4.0 s" in done.stdout


def case_a_split_file_serves_every_view(place):
    data = pictures.gravity_spy(place.path("set.h5"))
    place.run("data", "split", data, "--out", place.path("s.csv"), "--seed", 5)
    for view in ("merged", "single:4.0"):
        place.tune("--view", view, "--split-file", place.path("s.csv"), "--force", data=data)
        assert evaluated(place, place.path("out"), data)["images"] == 3


def case_files_that_are_refused(place):
    def change(f, what):
        if what == "duration":
            del f["line/test/line5/2.0.png"]
        elif what == "twice":
            f.copy("line/test/line5", "line/train/line5")
        elif what == "classes":
            f.copy("line/test/line5", "rise/test/line5")
        elif what == "group":
            f.create_group("void")
        elif what == "part":
            f.move("line/validation", "line/holdout")
        else:
            values = {"nan": np.full((1, 140, 170), np.nan), "shape": np.zeros((1, 140, 171)), "text": np.bytes_("a"),
                      "range": np.full((1, 140, 170), 255.0)}[what]
            del f["line/test/line5/1.0.png"]
            f["line/test/line5/1.0.png"] = values

    image = "line/test/line5/1.0.png"
    for what, names in [("duration", ["line5", "2.0"]), ("twice", ["line5", "twice"]), ("classes", ["line5", "twice"]),
                        ("group", ["void"]), ("part", ["line/holdout"]), ("nan", [image, "nan"]), ("shape", [image, "171"]),
                        ("text", [image]), ("range", [image, "255"])]:
        data = pictures.gravity_spy(place.path("set.h5"))
        with h5py.File(data, "a") as f:
            change(f, what)
        with unchanged(place.here):
            place.refuses(65, *place.tuning(data=data), names=["set.h5", *names])
            done = place.run("data", "scan", data, code=65)
            assert names[0] in done.stdout + done.stderr, (what, done.stdout, done.stderr)
        if what in ("duration", "twice", "group", "nan"):
            place.tune("--on-bad-image", "skip", data=data, out=what)


def case_one_class_no_class_and_no_such_file(place):
    one = pictures.gravity_spy(place.path("one.h5"), labels=("blob",))
    with h5py.File(place.path("none.h5"), "w"):
        pass
    pictures.write(place.path("text.h5"), "text")
    with unchanged(place.here):
        place.refuses(65, *place.tuning(data=one), names=["one.h5", "one class", "blob"])
        place.refuses(65, *place.tuning(data=place.path("none.h5")), names=["none.h5", "layout"])
        place.refuses(65, *place.tuning(data=place.path("text.h5")), names=["text.h5", "HDF5"])
        place.refuses(66, *place.tuning(data=place.path("gone.h5")), names=["gone.h5"])
        weights = os.path.join(place.finished_run, "best.h5")
        place.refuses(65, "data", "inspect", weights, names=["best.h5", "layout"])


def case_metadata(place):
    data = pictures.gravity_spy(place.path("set.h5"))
    lines = ["event_time,gravityspy_id,label"] + [f"{1e9 + 10 * i},{c}{i},{c}" for c in pictures.CLASSES for i in range(6)]
    beside = pictures.write(place.path("set_metadata.csv"), "\n".join(lines) + "\n")
    done = place.run("data", "inspect", data, "--json")
    assert strict_json(done.stdout)["gps_times"] == 72 and "set_metadata.csv" in done.stderr, done.stderr
    elsewhere = os.rename(beside, place.path("m.csv")) or place.path("m.csv")
    assert strict_json(place.run("data", "inspect", data, "--json").stdout)["gps_times"] == 0
    assert strict_json(place.run("data", "inspect", data, "--metadata", elsewhere, "--json").stdout)["gps_times"] == 72
    place.run("data", "split", data, "--metadata", elsewhere, "--gps-gap", 5, "--out", place.path("s.csv"))
    with open(place.path("s.csv"), newline="") as f:
        part = {r["id"]: r["split"] for r in csv.DictReader(f)}
    for i in range(6):  # all classes have one at each time
        assert len({part[f"{c}{i}"] for c in pictures.CLASSES}) == 1, part
    other = pictures.write(place.path("other.csv"), "path,label\nx,y\n")
    with unchanged(place.here):
        place.refuses(65, *place.tuning("--metadata", other, data=data), names=["other.csv", "gravityspy_id"])
        place.refuses(66, *place.tuning("--metadata", place.path("gone.csv"), data=data), names=["gone.csv"])


def case_inspect(place):
    data = pictures.gravity_spy(place.path("set.h5"), labels=("Blip", "Chirp", "Fast_Scattering"))
    found = strict_json(place.run("data", "inspect", data, "--json").stdout)
    assert found["form"] == "gravity_spy_hdf5" and found["class_list"] == "Gravity Spy O3 (3 of its 24 classes)", found
    assert found["classes"][0] == {"label": "Blip", "images": 24, "glitches": 6, "parts": {"train": 16, "val": 4, "test": 4}}
    text = place.run("data", "inspect", data).stdout
    assert "Gravity Spy's layout" in text and "train" in text, text
    plot = np.full((600, 800, 3), 255, np.uint8)
    plot[66:532, 105:671] = pictures.picture("blob", 1, 566)[:466]
    pictures.write(place.path("release", "Blip", "H1_abc_spectrogram_0.5.png"), pictures.png(plot))
    found = strict_json(place.run("data", "inspect", place.path("release"), "--json").stdout)
    assert found["release_plots"] == 1, found
    assert "PNG release" in place.run("data", "inspect", place.path("release")).stdout
    assert "566x466: 1 images" in place.run("data", "scan", place.path("release")).stdout


def case_real_data(place):
    folder = os.environ.get("XFERRUN_TEST_DATA")
    if not folder or not os.path.exists(os.path.join(folder, "gravityspy_mini.h5")):
        raise Skip("gravityspy_mini.h5 is needed, and XFERRUN_TEST_DATA does not name its folder")
    data = os.path.join(folder, "gravityspy_mini.h5")
    assert "gravityspy_mini_metadata.csv" in place.run("data", "inspect", data).stderr
    place.run("data", "scan", data)
    assert "own parts" in place.run("data", "split", data, "--out", place.path("s.csv")).stderr
    place.refuses(65, "data", "split", data, "--out", place.path("t.csv"), "--seed", 1, names=["1080Lines has 2 glitches"])
    place.tune(data=data)
    e = evaluated(place, place.path("out"), data)
    assert e["images"] > 20 and e["unknown_images"] == 0, e
    place.tune("--split-file", place.path("s.csv"), "--view", "stack:0.5,1.0,4.0", "--force", data=data)
    place.run("features", place.path("out"), "--data", data, "--out", place.path("f.h5"))
