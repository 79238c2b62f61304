"""simulate: labelled glitches in the layout of the public training set."""
import csv
import os

import h5py
import numpy as np

import pictures
from place import strict_json
from program import unchanged

DURATIONS = ["0.5.png", "1.0.png", "2.0.png", "4.0.png"]


def simulated(place, *options, out="s.h5"):
    return strict_json(place.run("simulate", "--out", place.path(out), "--json", *options).stdout)


def metadata(place, name="s_metadata.csv"):
    with open(place.path(name), newline="") as f:
        return list(csv.DictReader(f))


def case_layout_and_metadata(place):
    classes = ["Blip", "Reverse_Chirp", "Tomte"]
    found = simulated(place, "--per-class", 8, "--classes", ",".join(classes), "--wrong-labels", 0.125, "--late-class",
                      "Tomte:0.5", "--start", 1e9, "--seconds", 1000, "--seed", 4)
    assert found["glitches"] == 24 and found["wrong_labels"] == 3, found
    assert found["classes"] == [{"label": c, "glitches": 8} for c in classes], found
    rows = metadata(place)
    assert len({r["gravityspy_id"] for r in rows}) == 24 and sum(r["label"] != r["true_label"] for r in rows) == 3, rows
    with h5py.File(place.path("s.h5"), "r") as f:
        ids = {(label, part, i) for label in f for part in f[label] for i in f[label][part]}
        assert ids == {(r["label"], r["sample_type"], r["gravityspy_id"]) for r in rows}, ids
        for label, part, i in ids:
            group = f[label][part][i]
            assert list(group) == DURATIONS
            for d in DURATIONS:
                assert group[d].shape == (1, 140, 170) and group[d].dtype == np.float32
                assert 0 < group[d][:].min() and group[d][:].max() < 1
    for r in rows:
        t = float(r["event_time"])
        assert 1e9 + (500 if r["true_label"] == "Tomte" else 0) <= t < 1e9 + 1000, r
        assert abs(int(r["peak_time"]) + int(r["peak_time_ns"]) / 1e9 - t) < 0.3 and r["ifo"] in ("H1", "L1"), r
        assert float(r["snr"]) >= 9 and 10 < float(r["peak_frequency"]) < 2048, r


def case_the_same_files_on_any_number_of_threads(place):
    options = ["--count", 24, "--seed", 9]
    simulated(place, *options, "--threads", 1)
    simulated(place, *options, "--threads", 3, out="t.h5")
    for a, b in (("s.h5", "t.h5"), ("s_metadata.csv", "t_metadata.csv")):
        with open(place.path(a), "rb") as f, open(place.path(b), "rb") as g:
            assert f.read() == g.read(), a
    text = place.run("simulate", "--out", place.path("u.h5"), "--per-class", 1, "--classes", "Blip").stdout
    assert "1 glitches" in text and "u_metadata.csv" in text, text


def case_bad_options(place):
    with unchanged(place.here):
        for options, names in [
            (["--count", 5], ["--count", "23"]),
            (["--count", 0], ["--count"]),
            (["--count", 50, "--per-class", 2], ["--per-class"]),
            (["--classes", "Blip,Unicorn"], ["Unicorn", "Whistle"]),
            (["--classes", "Blip,Blip"], ["Blip"]),
            (["--wrong-labels", 1.5], ["--wrong-labels"]),
            (["--wrong-labels", "nan"], ["--wrong-labels"]),
            (["--wrong-labels", 0.1, "--classes", "Blip"], ["--wrong-labels"]),
            (["--late-class", "Blip"], ["--late-class", "NAME:0.5"]),
            (["--late-class", "Unicorn:0.5"], ["--late-class", "Unicorn"]),
            (["--late-class", "Blip:2"], ["--late-class"]),
            (["--seconds", -1], ["--seconds"]),
        ]:
            place.refuses(2, "simulate", "--out", place.path("s.h5"), *options, names=names)
        place.refuses(74, "simulate", "--out", "/proc/nowhere/s.h5", "--count", 23, names=["/proc/nowhere"])


def case_outputs_that_exist(place):
    options = ["--per-class", 1, "--classes", "Blip"]
    pictures.write(place.path("s_metadata.csv"), "mine")
    with unchanged(place.here):
        for force in ([], ["--force"]):
            place.refuses(73, "simulate", "--out", place.path("s.h5"), *options, *force, names=["s_metadata.csv"])
    os.remove(place.path("s_metadata.csv"))
    simulated(place, *options)
    with unchanged(place.here):
        place.refuses(73, "simulate", "--out", place.path("s.h5"), *options, names=["s.h5", "--force"])
    simulated(place, *options, "--force", "--seed", 5)
    with h5py.File(place.path("other.h5"), "w") as f:
        f["x"] = [1]
    with unchanged(place.here):
        place.refuses(73, "simulate", "--out", place.path("other.h5"), *options, "--force", names=["other.h5"])
