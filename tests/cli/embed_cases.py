"""embed: maps of features, and what it refuses."""
import signal
import subprocess

import h5py
import numpy as np

from place import strict_json
from program import unchanged
from stop_cases import partials, stopped

ROWS, CLASSES = 120, 3


def features(place, name="f.h5", values=None, **more):
    """A features file of well separated classes."""
    if values is None:
        random = np.random.default_rng(1)
        values = random.normal(size=(ROWS, 20)) + 10 * np.eye(CLASSES, 20)[np.arange(ROWS) % CLASSES]
    with h5py.File(place.path(name), "w") as f:
        f["features"] = np.asarray(values, np.float32)
        for dataset, rows in more.items():
            f[dataset] = rows
    return place.path(name)


def embedded(place, *options, of=None, out="e.h5"):
    done = place.run("embed", of or features(place), "--out", place.path(out), "--device", "cpu", *options)
    with h5py.File(place.path(out), "r") as f:
        return {k: f[k][()] for k in f}, done.stdout


def case_embed_map(place):
    text = {"labels": [f"c{i % CLASSES}" for i in range(ROWS)], "ids": [f"g{i}" for i in range(ROWS)],
            "paths": [f"p{i}.png" for i in range(ROWS)], "splits": ["train", "test"] * (ROWS // 2)}
    gps = np.arange(ROWS) + 1e9
    gps[3] = np.nan
    got, line = embedded(place, "--perplexity", 10, of=features(place, gps=gps, **text))
    y = got["embedding"]
    assert y.shape == (ROWS, 3) and y.dtype == np.float32 and np.isfinite(y).all()
    square = ((y[:, None] - y[None]) ** 2).sum(-1) + np.diag(np.full(ROWS, np.inf))
    near = np.argsort(square, axis=1)[:, :15]
    assert (near % CLASSES == np.arange(ROWS)[:, None] % CLASSES).mean() == 1
    assert got["kl_divergence"].shape == () and 0 < got["kl_divergence"] < 5
    assert f"{got['kl_divergence']:.4f}" in line and "120 points" in line and "exact" in line
    for name, rows in text.items():
        assert [s.decode() for s in got[name]] == rows, name
    assert np.array_equal(got["gps"], gps, equal_nan=True)


def case_embed_options(place):
    f = features(place)
    two, line = embedded(place, "--dimensions", 2, "--perplexity", 5, "--iterations", 50, "--json", of=f)
    assert two["embedding"].shape == (ROWS, 2) and set(two) == {"embedding", "kl_divergence"}
    j = strict_json(line)
    assert (j["points"], j["dimensions"], j["perplexity"], j["iterations"]) == (ROWS, 2, 5, 50), j
    assert j["kl_divergence"] == two["kl_divergence"] and j["repulsion"] == "exact"
    short = ["--perplexity", 5, "--iterations", 50]
    seeds = [embedded(place, *short, "--seed", s, "--threads", t, of=f, out=f"{s}{t}.h5")[0]["embedding"]
             for s, t in ((0, 1), (0, 2), (1, 1))]
    assert np.array_equal(seeds[0], seeds[1]) and not np.array_equal(seeds[0], seeds[2])
    axes, _ = embedded(place, *short, "--pca", 4, of=f, out="pca.h5")
    assert axes["embedding"].shape == (ROWS, 3) and not np.array_equal(axes["embedding"], seeds[0])


def case_embed_bad_input(place):
    good = features(place)

    def refuses(code, of, *options, names):
        with unchanged(place.here):
            place.refuses(code, "embed", of, "--out", place.path("out.h5"), "--device", "cpu", *options, names=names)

    refuses(66, place.path("gone.h5"), names=["gone.h5"])
    with h5py.File(place.path("empty.h5"), "w") as f:
        f["other"] = np.zeros(3)
    refuses(65, place.path("empty.h5"), names=["empty.h5", "/features"])
    refuses(65, features(place, "few.h5", np.zeros((3, 5))), names=["few.h5", "3 rows", "4"])
    bad = np.ones((30, 5))
    bad[7, 2] = np.nan
    refuses(65, features(place, "nan.h5", bad), "--perplexity", 5, names=["nan.h5", "row 7"])
    refuses(65, features(place, "maps.h5", np.ones((9, 2, 2, 3))), names=["maps.h5", "9, 2, 2, 3"])
    refuses(2, good, "--perplexity", 40, names=["--perplexity 40", "120 rows", "39"])
    for word in ("0.5", "nan", "-1", "many"):
        refuses(2, good, "--perplexity", word, names=["--perplexity"])
    refuses(2, good, "--pca", 21, names=["--pca 21", "20"])
    refuses(2, good, "--dimensions", 4, names=["--dimensions"])
    refuses(2, good, "--iterations", 0, names=["--iterations"])


def case_embed_leaves_other_files_alone(place):
    f = features(place)
    short = ["--perplexity", 5, "--iterations", 10]
    embedded(place, *short, of=f)
    short += ["--device", "cpu"]
    with unchanged(place.here):
        place.refuses(73, "embed", f, "--out", place.path("e.h5"), *short, names=["e.h5", "--force"])
        place.refuses(73, "embed", f, "--out", f, *short, "--force", names=["f.h5", "--force"])
    place.run("embed", f, "--out", "e.h5", *short, "--force")


def case_embed_stopped(place):
    """Its file is open from the start."""
    f = features(place)
    for number in (signal.SIGINT, signal.SIGTERM):
        with unchanged(place.here):
            process = place.start("embed", f, "--out", "e.h5", "--iterations", 1000000, "--device", "cpu", stderr=subprocess.PIPE)
            stopped(process, lambda: partials(place.here), number)
