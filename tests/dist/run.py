#!/usr/bin/python3
"""A training that several ranks share, run with mpirun.

usage: run.py BINARY [NAME...]
Runs the cases whose name holds one of the words, or all. Needs Open MPI and python3 with h5py, numpy and PIL. Prints the cases
that failed and a closing count; exits 1 when one failed.
"""
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback

import ranks
from ranks import TRAINING, distance, finish, run, same_bits, start

import h5py  # noqa: E402  (ranks.py knows where its helpers are)
import numpy as np  # noqa: E402
import pictures  # noqa: E402

# Without batch normalisation, and with dropout: the same training on any number of ranks.
PLAIN = {**TRAINING, "--model": "vgg11", "--head": "fc", "--input-size": "32x32", "--epochs": 2, "--lr": 0.001, "--batch": 8}


class Place:
    """A folder, a data set in it, and the program."""

    def __init__(self, binary, here):
        self.binary, self.here = binary, here
        self.data = pictures.folder(self.path("data"))

    def path(self, *names):
        return os.path.join(self.here, *names)

    def tune(self, count, out, *options, training=None, code=0, **more):
        return run(count, self.binary, *self.tuning(out, *options, training=training), code=code, **more)

    def tuning(self, out, *options, training=None):
        """The arguments; an option given here takes the place of the training's."""
        return ranks.training(self.data, self.path(out), *options, defaults=training or TRAINING)


def metrics(folder):
    """The lines of metrics.jsonl, without what a clock says."""
    with open(os.path.join(folder, "metrics.jsonl")) as f:
        lines = [json.loads(line) for line in f]
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]


def config(folder):
    with open(os.path.join(folder, "config.json")) as f:
        return json.load(f)


def case_same_bits_each_time(p):
    for out in ("a", "b"):
        p.tune(2, out, "--batch", 8)
    assert same_bits(p.path("a", "best.h5"), p.path("b", "best.h5")) and same_bits(p.path("a", "last.h5"), p.path("b", "last.h5"))
    assert metrics(p.path("a")) == metrics(p.path("b")) and len(metrics(p.path("a"))) == 3


def case_one_writer(p):
    done = p.tune(2, "two", "--batch", 8)
    p.tune(1, "one", "--batch", 8)
    assert sorted(os.listdir(p.path("one"))) == sorted(os.listdir(p.path("two")))
    assert done.stdout.count("the best weights") == 1 and done.stderr.count("info: epoch 1/3") == 1, done.stderr
    assert "2 ranks: 4 images of each step on every one; --batch 8 and --lr are those of the whole step" in done.stderr, done.stderr


def case_as_one_process(p):
    for count in (1, 2):
        p.tune(count, str(count), training=PLAIN)
    assert distance(p.path("2", "best.h5"), p.path("1", "best.h5")) < 1e-5
    for one, two in zip(metrics(p.path("1")), metrics(p.path("2"))):
        assert abs(one["train_loss"] - two["train_loss"]) < 1e-5 and one["train_top1"] == two["train_top1"], (one, two)
        assert abs(one["val_loss"] - two["val_loss"]) < 1e-5, (one, two)
    with open(p.path("1", "predictions.csv")) as one, open(p.path("2", "predictions.csv")) as two:
        assert [line.split(",")[0] for line in one] == [line.split(",")[0] for line in two]


def case_evaluation_and_features(p):
    p.tune(1, "run", "--batch", 8)
    found = {}
    for count in (1, 2, 3):
        done = run(count, p.binary, "evaluate", p.path("run"), "--data", p.data, "--split", "all", "--batch", 7, "--device", "cpu", "--json")
        found[count] = json.loads(done.stdout)
        run(count, p.binary, "features", p.path("run"), "--data", p.data, "--out", p.path(f"{count}.h5"), "--batch", 7, "--device", "cpu")
    with h5py.File(p.path("1.h5")) as f:
        one, names = f["features"][()], list(f["paths"].asstr())
    for count in (2, 3):
        assert found[count]["images"] == found[1]["images"] and found[count]["confusion"] == found[1]["confusion"]
        assert abs(found[count]["loss"] - found[1]["loss"]) < 1e-4 * found[1]["loss"] + 1e-6, (found[count]["loss"], found[1]["loss"])
        with h5py.File(p.path(f"{count}.h5")) as f:
            assert list(f["paths"].asstr()) == names and f["features"].shape == one.shape
            assert np.linalg.norm(f["features"][()] - one) < 1e-5 * np.linalg.norm(one)
            assert f["logits"].shape[0] == len(names)


def case_features_of_a_tensor(p):
    p.tune(1, "run", "--batch", 8)
    with h5py.File(p.path("t.h5"), "w") as f:
        f["x"] = np.random.default_rng(1).random((9, 64, 64, 3), np.float32)
    for count in (1, 2):
        run(count, p.binary, "features", p.path("run"), "--tensor", p.path("t.h5") + ":/x", "--out", p.path(f"{count}.h5"), "--batch", 4, "--device", "cpu")
    with h5py.File(p.path("1.h5")) as one, h5py.File(p.path("2.h5")) as two:
        assert two["features"].shape == one["features"].shape
        assert np.linalg.norm(two["features"][()] - one["features"][()]) < 1e-5 * np.linalg.norm(one["features"][()])


def case_seeds(p):
    p.tune(2, "run", "--batch", 8, "--seeds", 2, "--epochs", 1)
    assert sorted(n for n in os.listdir(p.path("run")) if n.startswith("seed-")) == ["seed-3", "seed-4"]
    assert os.path.exists(p.path("run", "evaluation.json"))


def begun(p, count, *options):
    """A long training that has had some epochs: mpirun's process, and the ranks."""
    process = start(count, p.binary, *p.tuning("run", "--batch", 12, "--epochs", 2000, *options))
    until = time.monotonic() + 60
    while not os.path.exists(p.path("run", "last.h5")):
        assert time.monotonic() < until and process.poll() is None, "the training did not begin"
        time.sleep(0.02)
    found = ranks.pids_of(p.binary, p.path("run"))
    assert len(found) == count, found
    return process, found


def case_a_rank_that_dies_ends_all(p):
    process, found = begun(p, 2)
    os.kill(found[1], signal.SIGKILL)
    at = time.monotonic()
    done = finish(process, None)
    assert time.monotonic() - at < 20 and done.code not in (0, 75), (time.monotonic() - at, done.code)
    assert re.search(r"rank 1 .*signal 9", done.stderr), done.stderr[-800:]
    assert not ranks.pids_of(p.binary, p.path("run"))
    # The last checkpoint goes on, on other ranks: in the epoch where it was.
    before = len(metrics(p.path("run")))
    p.tune(3, "run", "--batch", 12, "--epochs", 2000, "--resume", "--max-minutes", 0.05, code=75)
    lines = metrics(p.path("run"))
    assert len(lines) >= before and [line["epoch"] for line in lines] == list(range(1, len(lines) + 1))


def case_a_signal_stops_all(p):
    for to, name in ((0, signal.SIGUSR1), (1, signal.SIGTERM)):
        process, found = begun(p, 2)
        os.kill(found[to], name)
        done = finish(process, 75)
        assert done.stderr.count("xferrun: error: ") == 1 and "--resume" in done.stderr, done.stderr[-800:]
        shutil.rmtree(p.path("run"))


def case_mpirun_passes_a_signal_on(p):
    process, _ = begun(p, 2)
    process.send_signal(signal.SIGUSR1)
    finish(process, 75)


def case_other_ranks_go_on_with_the_same_images(p):
    training = {**PLAIN, "--epochs": 3}
    p.tune(1, "whole", training=training)
    process = start(2, p.binary, *p.tuning("run", training=training))
    while not os.path.exists(p.path("run", "last.h5")) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGUSR2)
    assert finish(process, None).code in (0, 75)
    p.tune(1, "run", "--resume", training=training)
    assert distance(p.path("run", "best.h5"), p.path("whole", "best.h5")) < 1e-5
    assert [line["epoch"] for line in metrics(p.path("run"))] == [1, 2, 3]


def case_a_bad_image_on_any_rank(p):
    names = sorted(n for n in os.listdir(os.path.join(p.data, "blob")))
    broken = os.path.join(p.data, "blob", names[0])
    size = os.path.getsize(broken)
    with open(broken, "r+b") as f:  # its header is whole: only who decodes it finds out
        f.seek(size // 2)
        f.write(b"\0" * (size - size // 2))
    done = p.tune(2, "run", "--batch", 8, code=65)
    assert names[0] in done.stderr, done.stderr
    assert not os.path.exists(p.path("run")), os.listdir(p.path("run"))


def case_refusals(p):
    done = p.tune(3, "run", "--batch", 8, code=2)
    assert "--batch 8: cannot be shared out among 3 ranks" in done.stderr and "multiple of 3" in done.stderr, done.stderr
    assert done.stderr.count("xferrun: error: ") == 1, done.stderr
    done = run(2, p.binary, "demo", "--out", p.path("demo"), code=2)
    assert "2 ranks" in done.stderr, done.stderr
    p.tune(1, "there", "--batch", 8, "--epochs", 1)
    assert p.tune(2, "there", "--batch", 8, code=73).stderr.count("xferrun: error: ") == 1
    other = [*map(str, p.tuning("run", "--batch", 8, "--lr", 0.002))]
    done = run(1, p.binary, *p.tuning("run", "--batch", 8), ":", "-n", 1, p.binary, *other, code=65)
    assert "rank 1" in done.stderr and "other images, options or checkpoints" in done.stderr, done.stderr
    assert not os.path.exists(p.path("run"))


def case_each_rank_has_its_share_of_the_cores(p):
    cores = len(os.sched_getaffinity(0))
    p.tune(2, "unbound", "--batch", 8, "--epochs", 1, mpirun=["--bind-to", "none"])
    assert config(p.path("unbound"))["threads"] == max(1, cores // 2), config(p.path("unbound"))["threads"]
    if cores > 1:
        p.tune(2, "bound", "--batch", 8, "--epochs", 1, mpirun=["--bind-to", "core"])
        assert config(p.path("bound"))["threads"] == 1


def case_profile(p):
    done = p.tune(2, "run", "--batch", 8, "--epochs", 1, "--profile", p.path("trace.json"))
    assert re.search(r"all-reduce: \d+ exchanges of [\d.]+ MiB in all took [\d.]+ s, of which [\d.]+ s were waited for: \d+ % hidden", done.stderr), done.stderr
    with open(p.path("trace.json")) as f:
        events = json.load(f)["traceEvents"]
    assert any(e["cat"] == "exchange between ranks" for e in events) and any(e["cat"].startswith("all_reduce_wait") for e in events)


def case_without_the_module(p):
    alone = p.path("xferrun")
    shutil.copy(p.binary, alone)
    done = run(2, alone, *p.tuning("run", "--batch", 8), code=69)
    assert "libxferrun_mpi.so" in done.stderr, done.stderr
    assert not os.path.exists(p.path("run"))


def main():
    binary, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if not shutil.which("mpirun"):
        print("skipped: dist: there is no mpirun")
        return 0
    failed = passed = 0
    for name, case in [(n[5:], c) for n, c in globals().items() if n.startswith("case_")]:
        if words and not any(word in name for word in words):
            continue
        with tempfile.TemporaryDirectory() as here:
            try:
                case(Place(binary, here))
                passed += 1
            except Exception:  # the next case says more about it than none
                failed += 1
                print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
