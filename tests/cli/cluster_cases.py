"""cluster: groups, wrong labels and beginnings among features of known truth, and what it refuses."""
import h5py
import numpy as np

from place import strict_json
from program import unchanged

CLASSES = ("Blip", "Koi_Fish", "None_of_the_Above", "Tomte")
LENGTH = 1e7


def write(path, features, **lists):
    with h5py.File(path, "w") as f:
        f["features"] = features
        for name, values in lists.items():
            f[name] = values if np.asarray(values).dtype.kind == "f" else np.array(values, dtype=h5py.string_dtype())
    return path


def scene(path):
    """Features of 520 images: four classes, of which None_of_the_Above is two groups and Tomte begins at 60 % of the run; every
    fiftieth image has a wrong label. Returns the path, the truth and the labels."""
    rng = np.random.default_rng(5)
    truth = np.repeat([0, 1, 2, 3, 2], [200, 120, 60, 80, 60])
    group = np.repeat(range(5), [200, 120, 60, 80, 60])
    centres = rng.normal(0, 6, (5, 80))  # more numbers than axes
    features = (centres[group] + rng.normal(size=(520, 80))).astype(np.float32)
    gps = 1.2e9 + LENGTH * np.where(group == 3, rng.uniform(0.6, 1, 520), rng.uniform(0, 1, 520))
    labels = truth.copy()
    labels[::50] = (labels[::50] + 1) % 4
    write(path, features, ids=[f"g{i}" for i in range(520)], labels=[CLASSES[c] for c in labels],
          paths=[f"{CLASSES[c]}/g{i}.png" for i, c in enumerate(labels)], gps=gps)
    return path, group, labels


def case_cluster_finds_what_is_there(place):
    f, group, labels = scene(place.path("f.h5"))
    done = strict_json(place.run("cluster", f, "--out", place.path("c.h5"), "--json").stdout)
    assert done["images"] == 520 and len(done["clusters"]) == 5, done
    assert sum(c["images"] for c in done["clusters"]) + done["unclustered"] == 520
    with h5py.File(place.path("c.h5"), "r") as c:
        found, suspects, first = c["labels_found"][:], c["suspects"][:], c["first_gps"][:]
        assert np.array_equal(c["rows"][:], np.arange(520))
        assert len(c["probabilities"]) == len(c["outlier_scores"]) == len(c["suspect_scores"]) == 520
        assert (np.diff(c["suspect_scores"][:]) <= 0).all()
    for cluster in range(5):
        assert len(set(group[found == cluster])) == 1
    assert set(suspects[:11]) == set(range(0, 520, 50)), suspects[:11]
    assert abs(done["wrong_labels"] - 11) <= 2
    late = found[group == 3].max()
    assert abs(first[late] - (1.2e9 + 0.6 * LENGTH)) < 0.01 * LENGTH, first
    assert [first[c] for c in range(5)] == [c["first_gps"] for c in done["clusters"]]
    top = done["suspects"][0]
    assert top["label"] == CLASSES[labels[top["row"]]] and top["proposed"] != top["label"] and top["image"].endswith(".png")
    none = next(c for c in done["classes"] if c["label"] == "None_of_the_Above")
    assert none["images"] > 110 and 0.3 < none["completeness"] < 0.7, none
    table = place.run("cluster", f, "--out", place.path("d.h5")).stdout
    assert "5 clusters" in table and "first GPS" in table and all(c in table for c in CLASSES), table


def case_cluster_splits_a_class(place):
    f, group, labels = scene(place.path("f.h5"))
    done = strict_json(place.run("cluster", f, "--within", "None_of_the_Above", "--out", place.path("c.h5"), "--json").stdout)
    assert done["images"] == (labels == 2).sum() and len(done["clusters"]) == 2, done
    assert "suspects" not in done
    with h5py.File(place.path("c.h5"), "r") as c:
        rows, found = c["rows"][:], c["labels_found"][c["probabilities"][:] > 0.5]
        group = group[rows][c["probabilities"][:] > 0.5]
        assert "suspects" not in c
    assert (labels[rows] == 2).all()
    # Wrong labels lie farther out than the groups from each other: they are in a cluster with little probability at most.
    assert [set(group[found == k]) for k in (0, 1)] in ([{2}, {4}], [{4}, {2}])


def case_cluster_of_features_alone(place):
    """Nothing but vectors: clusters and outliers, and no word of labels or times."""
    points = np.concatenate([np.random.default_rng(1).normal(c, 1, (40, 3)) for c in (0, 20)]).astype(np.float32)
    f = write(place.path("f.h5"), points)
    done = strict_json(place.run("cluster", f, "--out", place.path("c.h5"), "--json").stdout)
    assert [c["first_gps"] for c in done["clusters"]] == [None, None] and done["classes"] == [], done
    with h5py.File(place.path("c.h5"), "r") as c:
        assert set(c) == {"rows", "labels_found", "probabilities", "outlier_scores"}
    place.run("cluster", f, "--out", place.path("c.h5"), "--force", "--axes", 0, "--threads", 1)


def case_cluster_refuses(place):
    good, _, _ = scene(place.path("good.h5"))
    plain = np.zeros((30, 4), np.float32)
    nan = plain.copy()
    nan[3, 1] = np.nan
    files = {
        "maps": (write(place.path("maps.h5"), np.zeros((4, 2, 2, 3), np.float32)), ["/features", "(4, 2, 2, 3)"]),
        "nan": (write(place.path("nan.h5"), nan), ["/features", "nan", "row 3"]),
        "short": (write(place.path("short.h5"), plain, labels=["a"]), ["/labels", "1 entries", "30 images"]),
        "few": (write(place.path("few.h5"), plain[:4]), ["4 images", "--min-cluster-size"]),
    }
    with h5py.File(place.path("empty.h5"), "w") as f:
        f.create_group("features")
    files["empty"] = (place.path("empty.h5"), ["no dataset /features"])
    out = ["--out", place.path("c.h5")]
    with unchanged(place.here):
        for path, names in files.values():
            place.refuses(65, "cluster", path, *out, names=[path, *names])
        place.refuses(65, "cluster", files["short"][0], *out, "--within", "b", names=["/labels"])
        place.refuses(65, "cluster", good, *out, "--within", "Whistle", names=["good.h5", "Whistle"])
        place.refuses(65, "cluster", good, *out, "--min-cluster-size", 521, names=["520 images"])
        place.refuses(66, "cluster", place.path("gone.h5"), *out, names=["gone.h5"])
        place.refuses(2, "cluster", good, *out, "--min-cluster-size", 1, names=["--min-cluster-size"])
        place.refuses(2, "cluster", good, names=["--out"])
        place.refuses(73, "cluster", good, "--out", good, "--force", names=["good.h5"])
    place.run("cluster", good, *out)
    with unchanged(place.here):
        place.refuses(73, "cluster", good, *out, names=["c.h5", "--force"])
