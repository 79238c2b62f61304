"""similar, discover, and what predict says of images of no class."""
import os
import shutil

import h5py
import numpy as np

import pictures
from place import SCRATCH, strict_json, with_defaults
from program import unchanged


def lines(done):
    return [strict_json(line) for line in done.stdout.splitlines()]


def features_of_the_run(place):
    place.run("features", place.finished_run, "--data", place.data, "--out", place.path("f.h5"))
    return place.path("f.h5")


def case_similar_finds_an_image_itself(place):
    f = features_of_the_run(place)
    images = [os.path.join(place.data, c, "g03.png") for c in pictures.CLASSES]
    found = lines(place.run("similar", f, "--run", place.finished_run, *images, "--count", 4))
    assert [line["path"] for line in found] == images
    for line, label in zip(found, pictures.CLASSES):
        nearest = line["nearest"]
        assert len(nearest) == 4 and nearest[0]["path"] == f"{label}/g03.png" and nearest[0]["label"] == label, line
        assert abs(nearest[0]["similarity"] - 1) < 1e-5 and "gps" not in nearest[0]
        assert [n["similarity"] for n in nearest] == sorted((n["similarity"] for n in nearest), reverse=True)
    with h5py.File(f, "r") as h:
        assert h.attrs["weights"].decode() == found[0]["model"]
        known = h["features"][:].astype(np.float64)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    cosines = known @ known[found[0]["nearest"][0]["row"]]
    assert abs(np.sort(cosines)[-2] - found[0]["nearest"][1]["similarity"]) < 1e-5
    weights = os.path.join(place.finished_run, "best.h5")
    assert lines(place.run("similar", f, "--weights", weights, *images, "--count", 4)) == found
    assert len(lines(place.run("similar", f, "--run", place.finished_run, images[0], "--count", 99))[0]["nearest"]) == 30


def case_similar_refuses(place):
    f, image = features_of_the_run(place), os.path.join(place.data, "blob", "g00.png")
    place.tune("--epochs", 1, "--seed", 9, out="other")
    bare, cut = place.path("bare.h5"), pictures.truncated(place.path("cut.png"))
    with h5py.File(bare, "w") as h:
        h["features"] = np.zeros((3, 128), np.float32)
    with unchanged(place.here):
        place.refuses(65, "similar", f, "--run", place.path("other"), image, names=["f.h5", "resnet18_narrow-"])
        place.refuses(65, "similar", bare, "--run", place.finished_run, image, names=["bare.h5", "network"])
        place.refuses(2, "similar", f, image, names=["--run", "--weights"])
        place.refuses(66, "similar", f, "--run", place.finished_run, place.path("gone.png"), names=["gone.png"])
        place.refuses(66, "similar", place.path("gone.h5"), "--run", place.finished_run, image, names=["gone.h5"])
        place.refuses(65, "similar", f, "--run", place.finished_run, cut, names=["cut.png"])


def case_predict_out_of_class(place):
    """A run with ten images and more that did not train says how far out an image lies; noise lies farther than most."""
    data = pictures.folder(place.path("data"), per_class=20)
    place.tune("--epochs", 4, "--val-fraction", 0.3, data=data)
    assert os.path.exists(place.path("out", "out_of_class.h5"))
    images = [os.path.join(data, c, f"g{i:02}.png") for c in pictures.CLASSES for i in range(20)]
    noise = np.random.default_rng(1).integers(0, 256, (48, 48, 3))
    strange = pictures.write(place.path("noise.png"), pictures.png(noise))
    found = lines(place.run("predict", place.path("out"), *images, strange))
    scores = [line["out_of_class"] for line in found]
    assert all(0 <= s < 1 for s in scores), scores
    assert np.mean(scores[:-1]) < 0.6 and scores[-1] == max(scores), scores
    alone = lines(place.run("predict", place.path("out"), strange))[0]
    assert alone["out_of_class"] == scores[-1]
    weights = lines(place.run("predict", place.path("out", "best.h5"), strange))[0]
    assert "out_of_class" not in weights
    shutil.copy(place.path("out", "out_of_class.h5"), place.path("kept.h5"))
    os.remove(place.path("out", "out_of_class.h5"))
    older = lines(place.run("predict", place.path("out"), strange))[0]
    assert "out_of_class" not in older and older["label"] == alone["label"]
    place.tune("--epochs", 1, "--val-fraction", 0.3, "--force", data=data)
    shutil.copy(place.path("kept.h5"), place.path("out", "out_of_class.h5"))
    place.refuses(65, "predict", place.path("out"), strange, names=["out_of_class.h5", "weights"])


def case_out_of_class_of_a_glitch(place):
    """With --view all it is the glitch's that is told, of the mean of its images, against held-out glitches."""
    data = pictures.gravity_spy(place.path("set.h5"), per_class=24)  # of each class four to validate
    place.tune("--view", "all", "--epochs", 4, data=data)
    run, noise = place.path("out"), np.random.default_rng(1)

    def durations(name, grey):
        return [pictures.write(place.path(f"{name}_{d}.png"), pictures.png(np.repeat(grey(k)[:, :, None], 3, axis=2)))
                for k, d in enumerate(pictures.DURATIONS)]

    files = [durations(f"{c}{i}", lambda k, c=c, i=i: np.rint(255 * pictures.spectrogram(c, 4 * i + k)[0]))
             for c in pictures.CLASSES for i in range(24)]
    strange = durations("noise", lambda k: noise.integers(0, 256, (140, 170)))
    found = lines(place.run("predict", run, *sum(files, []), *strange))
    with h5py.File(place.path("out", "out_of_class.h5")) as f:
        held_out = len(f["held_out_scores"])
    assert held_out == 12, "a score for each glitch of the validation part"
    scores = np.array([line["out_of_class"] for line in found]) * (held_out + 1)
    assert len(scores) == 73 and np.allclose(scores, np.rint(scores)), scores
    # Those that made the reference have its ranks, once each.
    validation = [i for i in range(72) if pictures.PARTS[i % 24 % 6] == "validation"]
    assert sorted(np.rint(scores[validation])) == list(range(12)), scores[validation]
    assert scores[-1] == max(scores), scores
    assert lines(place.run("predict", run, *strange))[0]["out_of_class"] == found[-1]["out_of_class"]


def case_predict_without_enough_to_judge(place):
    assert not os.path.exists(os.path.join(place.finished_run, "out_of_class.h5"))  # three images for validation
    line = lines(place.run("predict", place.finished_run, os.path.join(place.data, "blob", "g00.png")))[0]
    assert "out_of_class" not in line


def discovering(place, data, *options, out="found"):
    return ["discover", "--from-scratch", "--data", data, "--out", place.path(out), *with_defaults(SCRATCH, options)]


def case_discover(place):
    labels = ("blob", "line", "rise")
    data = pictures.folder(place.path("data"), per_class=24, labels=labels)
    options = ["--hold-out", "rise", "--epochs", 4, "--val-fraction", 0.25]
    found = strict_json(place.run(*discovering(place, data, *options, "--json")).stdout)
    with open(place.path("found", "discovery.json")) as f:
        assert strict_json(f.read()) == found
    assert (found["held_out"], found["images"], found["all_images"]) == ("rise", 24, 72), found
    assert 0 <= found["completeness"] <= 1 and 0.34 < found["neighbour_purity"] <= 1
    assert 0 <= found["auroc"] <= 1 and 0 <= found["flagged"] <= 1
    line = lines(place.run("predict", place.path("found"), os.path.join(data, "rise", "g00.png")))[0]
    assert {t["label"] for t in line["top"]} == {"blob", "line"} and "out_of_class" in line
    text = place.run(*discovering(place, data, *options, "--force")).stdout
    assert "rise" in text and "completeness" in text or "no cluster" in text, text


def with_durations(folder):
    """The pictures of a folder as those of the glitches' durations of 1 s, beside others of 2 s."""
    for base, _, files in os.walk(folder):
        for name in files:
            shutil.copy(os.path.join(base, name), os.path.join(base, name[:-4] + "_2.0.png"))
            os.rename(os.path.join(base, name), os.path.join(base, name[:-4] + "_1.0.png"))
    return folder


def case_similar_and_discover_follow_the_view(place):
    data = with_durations(pictures.folder(place.path("data"), per_class=12))
    found = strict_json(place.run(*discovering(place, data, "--hold-out", "rise", "--view", "single:1.0", "--json")).stdout)
    assert found["all_images"] == 36, found
    f = place.path("f.h5")
    place.run("features", place.path("found"), "--data", data, "--out", f)
    with h5py.File(f, "r") as h:
        assert h.attrs["view"] == b"single:1.0" and len(h["paths"]) == 36
    image = os.path.join(data, "rise", "g03_1.0.png")
    nearest = lines(place.run("similar", f, "--run", place.path("found"), image))[0]["nearest"][0]
    assert nearest["path"] == "rise/g03_1.0.png" and nearest["similarity"] > 0.9999, nearest


def case_discover_refuses(place):
    with unchanged(place.here):
        place.refuses(65, *discovering(place, place.data, "--hold-out", "whistle"), names=["whistle", "blob, line, rise"])
        place.refuses(2, *discovering(place, place.data), names=["--hold-out"])
        for option in ("--leave-glitches-out", "--seeds"):
            place.refuses(2, *discovering(place, place.data, "--hold-out", "blob", option, 3), names=[option])
    two = place.own_data()
    shutil.rmtree(os.path.join(two, "line"))
    place.refuses(65, *discovering(place, two, "--hold-out", "rise"), names=["data"])
    assert not os.path.exists(place.path("found"))
