"""evaluate, predict and features: what they print and write."""
import os
import shutil

import h5py
import numpy as np

import pictures
from place import strict_json
from program import unchanged


def images(data):
    return [os.path.join(data, c, f"g{i:02}.png") for i in (7, 1) for c in reversed(pictures.CLASSES)]


def evaluated(place, *options, data=None):
    done = place.run("evaluate", place.finished_run, "--data", data or place.data, "--json", *options)
    return strict_json(done.stdout)


def predicted(place, *arguments, code=0):
    return [strict_json(line) for line in place.run("predict", place.finished_run, *arguments, code=code).stdout.splitlines()]


def case_evaluate_parts(place):
    sizes = {s: evaluated(place, "--split", s)["images"] for s in ("train", "val", "test", "all")}
    assert sizes == {"train": 21, "val": 3, "test": 6, "all": 30}, sizes
    assert evaluated(place) == evaluated(place, "--split", "test")
    place.refuses(2, "evaluate", place.finished_run, "--data", place.data, "--split", "rest", names=["--split", "rest", "val"])


def case_evaluate_figures(place):
    e = evaluated(place, "--split", "all")
    confusion = np.array(e["confusion"])
    assert confusion.sum() == 30 and [c["label"] for c in e["classes"]] == list(pictures.CLASSES), e
    assert abs(e["top1"] - np.trace(confusion) / 30) < 1e-9
    assert e["top1"] <= e["top2"] <= e["top3"] == e["top5"] == 1
    assert e["top1_interval"][0] <= e["top1"] <= e["top1_interval"][1] and 0 <= e["ece"] <= 1
    f1 = []
    for i, c in enumerate(e["classes"]):
        right, asked, shown = confusion[i, i], confusion[:, i].sum(), confusion[i].sum()
        assert c["support"] == shown and abs(c["recall"] - right / shown) < 1e-9
        assert abs(c["precision"] - (right / asked if asked else 0)) < 1e-9
        f1.append(2 * right / (asked + shown))
        assert abs(c["f1"] - f1[-1]) < 1e-9
    assert abs(e["macro_f1"] - np.mean(f1)) < 1e-9
    table = place.run("evaluate", place.finished_run, "--data", place.data, "--split", "all").stdout
    assert "macro-F1" in table and all(c in table for c in pictures.CLASSES)


def case_evaluate_without_some_classes(place):
    """A class that is not there has support 0 and is no part of the mean."""
    data = place.own_data()
    shutil.rmtree(os.path.join(data, "line"))
    e = evaluated(place, "--split", "all", data=data)
    assert [c["support"] for c in e["classes"]] == [10, 0, 10] and e["absent_classes"] == ["line"], e
    assert abs(e["macro_f1"] - (e["classes"][0]["f1"] + e["classes"][2]["f1"]) / 2) < 1e-9
    assert evaluated(place, data=data)["images"] == 4
    shutil.rmtree(os.path.join(data, "blob"))
    assert evaluated(place, "--split", "all", data=data)["images"] == 10


def case_evaluate_other_classes_and_images(place):
    data = place.own_data()
    shutil.copytree(os.path.join(data, "rise"), os.path.join(data, "whistle"))
    e = evaluated(place, "--split", "all", data=data)
    assert (e["images"], e["unknown_images"], e["unknown_classes"], e["absent_classes"]) == (30, 10, ["whistle"], []), e
    assert {k: v for k, v in e.items() if k[:7] != "unknown"} == {
        k: v for k, v in evaluated(place, "--split", "all").items() if k[:7] != "unknown"}
    table = place.run("evaluate", place.finished_run, "--data", data).stdout
    assert "10 images of classes that the network does not know (whistle)" in table, table
    for c in pictures.CLASSES:
        shutil.rmtree(os.path.join(data, c))
    place.refuses(65, "evaluate", place.finished_run, "--data", data, names=["data", "whistle", "blob"])
    shutil.rmtree(data)
    data = place.own_data()
    pictures.write(os.path.join(data, "rise", "new.png"), pictures.png(pictures.picture("rise", 50)))
    place.refuses(65, "evaluate", place.finished_run, "--data", data, names=["split.csv", "rise/new.png"])
    assert evaluated(place, "--split", "all", data=data)["images"] == 31


def case_evaluate_bad_images(place):
    data = place.own_data()
    pictures.truncated(os.path.join(data, "rise", "g00.png"))
    place.refuses(65, "evaluate", place.finished_run, "--data", data, names=["rise/g00.png"])
    assert evaluated(place, "--split", "all", "--on-bad-image", "skip", data=data)["images"] == 29


def case_predict_lines(place):
    paths = images(place.data)
    lines = predicted(place, *paths)
    assert [line["path"] for line in lines] == paths
    for line in lines:
        top = line["top"]
        assert len(top) == 3 and {t["label"] for t in top} == set(pictures.CLASSES), line
        assert (line["label"], line["probability"]) == (top[0]["label"], top[0]["probability"])
        assert abs(sum(t["probability"] for t in top) - 1) < 1e-5
        assert top == sorted(top, key=lambda t: -t["probability"])
    assert len({line["model"] for line in lines}) == 1 and lines[0]["model"].startswith("resnet18_narrow-")
    assert predicted(place, *paths, "--json") == lines


def case_predict_batches(place):
    """The same to a few bits, however many at a time, also with one image and with one given twice."""
    paths = images(place.data)
    whole = predicted(place, *paths)
    for options, wanted in ((["--batch", 1], whole), (["--batch", 4], whole), (["--batch", 4096], whole)):
        for a, b in zip(predicted(place, *paths, *options), wanted):
            assert a["label"] == b["label"] and abs(a["probability"] - b["probability"]) < 1e-4, (options, a, b)
    assert predicted(place, paths[0])[0]["label"] == whole[0]["label"]
    assert [line["path"] for line in predicted(place, paths[0], paths[0])] == [paths[0]] * 2


def case_predict_odd_paths(place):
    paths = []
    for name in ("a b.png", 'q"uote.png', "ümlaut ☃.png", "line\nbreak.png", "back\\slash.png"):
        paths.append(pictures.write(place.path(name), pictures.png(pictures.picture("blob", 5))))
    assert [line["path"] for line in predicted(place, *paths)] == paths


def case_predict_bad_images(place):
    good = images(place.data)
    bad = [pictures.truncated(place.path("cut.png")), pictures.write(place.path("note.png"), "text")]
    place.refuses(65, "predict", place.finished_run, good[0], *bad, good[1], names=["cut.png", "note.png", "2 of 4"])
    assert [line["path"] for line in predicted(place, good[0], *bad, good[1], "--on-bad-image", "skip")] == good[:2]
    place.refuses(65, "predict", place.finished_run, bad[0], "--on-bad-image", "skip", names=["cut.png"])
    place.refuses(66, "predict", place.finished_run, good[0], place.path("gone.png"), names=["gone.png"])
    place.refuses(65, "predict", place.finished_run, place.data, names=[place.data])
    place.refuses(66, "predict", place.finished_run, "x" * 5000, names=["xxx"])


def features(place, *arguments, out="f.h5"):
    place.run("features", *arguments, "--out", place.path(out))
    return h5py.File(place.path(out), "r")


def case_features_of_a_run(place):
    with features(place, place.finished_run, "--data", place.data) as f:
        assert f["features"].shape == (30, 128) and f["features"].dtype == np.float32
        text = {k: [s.decode() for s in f[k][:]] for k in ("ids", "labels", "paths")}
        assert np.isfinite(f["features"][:]).all()
        assert len(np.unique(f["features"][:], axis=0)) == 30
    assert text["paths"] == sorted(text["paths"]) and len(set(text["ids"])) == 30
    assert text["labels"] == [p.split("/")[0] for p in text["paths"]], text
    assert text["paths"][0] == "blob/g00.png"


def case_features_of_images_and_of_a_tensor_agree(place):
    """Pictures of the network's own size need no resizing, so what it sees can be made here."""
    data = pictures.folder(place.path("data"), per_class=2, side=224)
    values = np.stack([pictures.picture(c, i, 224) for c in pictures.CLASSES for i in range(2)]).astype(np.float32) / 255
    with h5py.File(place.path("t.h5"), "w") as f:
        f["group/input"] = values
    with features(place, place.finished_run, "--data", data, "--batch", 4) as f:
        seen = f["features"][:]
    with features(place, place.finished_run, "--tensor", place.path("t.h5") + ":/group/input", "--batch", 4, out="g.h5") as f:
        assert set(f) == {"features"}
        assert np.abs(f["features"][:] - seen).max() <= 1e-5 * np.abs(seen).max()


def case_features_layers(place):
    with features(place, place.finished_run, "--data", place.data, "--layer", "pool") as f:
        pooled = f["features"][:]
    with features(place, place.finished_run, "--data", place.data, out="g.h5") as f:
        assert np.array_equal(f["features"][:], pooled)
    with features(place, place.finished_run, "--data", place.data, "--layer", "layer4", out="h.h5") as f:
        assert f["features"].shape == (30, 7, 7, 128)
    with unchanged(place.here):
        arguments = ["features", place.finished_run, "--data", place.data, "--layer", "nonsense", "--out", place.path("no.h5")]
        place.refuses(2, *arguments, names=["--layer", "nonsense", "layer4"])


def case_features_logits(place):
    """Of a run and of its weight file: what the probabilities are the softmax of."""
    with features(place, place.finished_run, "--data", place.data, "--layer", "logits") as f:
        logits = f["features"][:]
    of_file = ["--model", "resnet18_narrow", "--weights", os.path.join(place.finished_run, "best.h5"), "--data", place.data]
    with features(place, *of_file, "--layer", "logits", out="g.h5") as f:
        assert np.array_equal(f["features"][:], logits)
    line = predicted(place, os.path.join(place.data, "blob", "g00.png"))[0]
    exponents = np.exp(logits[0] - logits[0].max())
    assert abs(exponents.max() / exponents.sum() - line["probability"]) < 1e-5, (logits[0], line)


def case_features_of_other_tensors(place):
    file = place.path("t.h5")
    with h5py.File(file, "w") as f:
        f["flat"] = np.zeros((2, 224 * 224 * 3), np.float32)
        f["two"] = np.zeros((2, 224, 224, 2), np.float32)
        f["none"] = np.zeros((0, 224, 224, 3), np.float32)
        f["text"] = np.array([b"a"])
        f["large"] = np.zeros((3, 40, 72, 3))
        f["nan"] = np.full((1, 64, 64, 3), np.nan, np.float32)
    with unchanged(place.here):
        for tensor, code, names in [
            (f"{file}:/flat", 65, ["t.h5", "/flat", "channels"]),
            (f"{file}:/two", 65, ["t.h5", "/two"]),
            (f"{file}:/none", 65, ["t.h5", "/none"]),
            (f"{file}:/text", 65, ["t.h5", "/text"]),
            (f"{file}:/gone", 65, ["t.h5", "/gone"]),
            (f"{file}:/nan", 65, ["t.h5", "/nan", "finite"]),
            (file, 2, ["--tensor", "t.h5"]),
            (place.path("gone.h5") + ":/x", 66, ["gone.h5"]),
            (os.path.join(place.data, "blob", "g00.png") + ":/x", 65, ["g00.png"]),
        ]:
            place.refuses(code, "features", place.finished_run, "--tensor", tensor, "--out", place.path("f.h5"), names=names)
    with features(place, place.finished_run, "--tensor", f"{file}:/large", "--batch", 2) as f:
        assert f["features"].shape == (3, 128)  # any size that the network takes


def case_features_of_a_trunk(place):
    weights = os.path.join(place.finished_run, "best.h5")
    with features(place, "--model", "resnet18_narrow", "--weights", weights, "--data", place.data) as f:
        seen = f["features"][:]
    with features(place, place.finished_run, "--data", place.data, out="g.h5") as f:
        assert np.array_equal(f["features"][:], seen)


def case_bf16_is_near_f32(place):
    with features(place, place.finished_run, "--data", place.data) as f, \
            features(place, place.finished_run, "--data", place.data, "--precision", "bf16", out="g.h5") as g:
        for a, b in zip(f["features"][:], g["features"][:]):
            assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.999


def case_inspect(place):
    found = strict_json(place.run("data", "inspect", place.data, "--json").stdout)
    assert found["classes"] == [{"label": c, "images": 10, "glitches": 10} for c in pictures.CLASSES], found
    assert (found["images"], found["form"], found["class_list"]) == (30, "folder", None), found
    text = place.run("data", "inspect", place.data).stdout
    assert "3 classes, 30 images" in text, text
    place.refuses(66, "data", "inspect", place.path("gone"), names=["gone"])
