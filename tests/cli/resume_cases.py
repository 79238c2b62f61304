"""fine-tune --resume, signals while it trains, checkpoints, and the lock of a run folder."""
import json
import os
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np

import pictures
from place import metrics, without_times
from program import unchanged

LONG = ["--epochs", 4, "--optimizer", "adam", "--lr", 0.001]


def weights(run):
    with open(os.path.join(run, "best.h5"), "rb") as f:
        return f.read()


def evaluation(run):
    with open(os.path.join(run, "evaluation.json")) as f:
        return f.read()


def signalled(place, number, arguments, out):
    """Starts a training, and sends the signal in its second epoch or later; returns exit code and stderr."""
    process = place.start(*arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not os.path.exists(place.path(out, "metrics.jsonl")):
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.002)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr.decode()


def check_same(a, b):
    assert weights(a) == weights(b) and evaluation(a) == evaluation(b)
    assert without_times(metrics(a)) == without_times(metrics(b))


def case_resume_after_a_signal(place):
    place.tune(*LONG, out="whole")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        out = f"run{number}"
        code, stderr = signalled(place, number, place.tuning(*LONG, out=out), out)
        assert code == 75, (code, stderr)
        errors = [line for line in stderr.splitlines() if "error" in line]
        assert len(errors) == 1 and "stopped" in errors[0] and "--resume" in stderr, stderr
        again = place.tune(*LONG, "--resume", out=out)
        assert "going on in epoch" in again.stderr, again.stderr
        check_same(place.path("whole"), place.path(out))


def case_resume_of_nothing_begins(place):
    place.tune(*LONG, out="whole")
    place.tune(*LONG, "--resume", out="new")
    check_same(place.path("whole"), place.path("new"))
    # And of what has ended: nothing is left to train, and nothing changes.
    place.tune(*LONG, "--resume", out="new")
    check_same(place.path("whole"), place.path("new"))


def case_resume_with_other_options(place):
    data = place.own_data()
    place.tune(*LONG, data=data, out="run")

    def refuses(*options, names, code=2, data=data):
        with unchanged(place.path("run")):
            place.refuses(code, *place.tuning(*LONG, *options, "--resume", data=data, out="run"), names=names)

    refuses("--weight-decay", 0.01, "--seed", 4, names=["--weight-decay is 0.01 and was 0", "--seed is 4 and was 3"])
    refuses("--precision", "bf16", names=["precision"])
    refuses("--force", names=["--force"])
    moved = shutil.copytree(data, place.path("moved"))
    place.tune(*LONG, "--resume", data=moved, out="run")
    pictures.write(os.path.join(data, "blob", "new.png"), pictures.png(pictures.picture("blob", 77)))
    refuses(names=["images"])


def case_resume_with_several_trainings(place):
    for kind, folders in (("--seeds", ("seed-3", "seed-4")), ("--leave-glitches-out", ("fold-1", "fold-2"))):
        whole, out = f"whole{kind}", f"run{kind}"
        place.tune(kind, 2, "--epochs", 3, out=whole)
        arguments = place.tuning(kind, 2, "--epochs", 3, out=out)
        code, stderr = signalled(place, signal.SIGTERM, arguments, os.path.join(out, folders[1]))
        assert code == 75, (code, stderr)
        place.run(*arguments, "--resume")
        for folder in folders:
            assert weights(place.path(whole, folder)) == weights(place.path(out, folder)), folder
        assert json.loads(evaluation(place.path(whole))) == json.loads(evaluation(place.path(out)))


def case_resume_of_the_papers_table(place):
    options = ["--data", place.data, "--epochs", 2, "--seeds", 2, "--device", "cpu", "--threads", 1]
    place.run("paper", *options, "--out", place.path("whole"))
    arguments = ["paper", *options, "--out", place.path("paper")]
    code, stderr = signalled(place, signal.SIGTERM, arguments, os.path.join("paper", "merged_view", "seed-0"))
    assert code == 75 and "--resume" in stderr, (code, stderr)
    place.run(*arguments, "--resume")
    with open(place.path("whole", "paper.json")) as a, open(place.path("paper", "paper.json")) as b:
        assert a.read() == b.read()


def case_max_minutes(place):
    place.tune(*LONG, out="whole")
    arguments = place.tuning(*LONG, "--resume", "--max-minutes", 0.012, out="run")
    for _ in range(60):
        done = subprocess.run([place.binary, *map(str, arguments)], capture_output=True, cwd=place.here, timeout=60)
        if done.returncode == 0:
            break
        assert done.returncode == 75, done.stderr
    else:
        place.tune(*LONG, "--resume", out="run")  # a machine on which an update takes that long
    check_same(place.path("whole"), place.path("run"))


def case_two_writers(place):
    process = place.start(*place.tuning("--epochs", 1000, "--val-fraction", 0, out="run"), stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not os.path.exists(place.path("run", "last.h5")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        arguments = place.tuning("--epochs", 1000, "--val-fraction", 0, out="run")
        for option in ("--resume", "--force"):
            place.refuses(73, *arguments, option, names=[f"process {process.pid} on"])
    finally:
        process.kill()
        process.communicate()
    # A lock whose holder was killed is none.
    place.tune("--force", out="run")


def damage(path, dataset):
    with h5py.File(path, "r+") as f:
        values = f[dataset][()]
        values.reshape(-1).view(np.uint8)[3] ^= 1
        f[dataset][...] = values


def case_damaged_checkpoints(place):
    place.tune(*LONG, "--keep", 2, out="run")
    last, before = place.path("run", "last.h5"), place.path("run", "last-1.h5")
    kept = weights(place.path("run"))
    arguments = place.tuning(*LONG, "--keep", 2, "--resume", out="run")
    damage(last, "tensors/moment1/fc.weight")
    done = place.run(*arguments)
    assert "moment1/fc.weight is damaged" in done.stderr and "last-1.h5: going on" in done.stderr, done.stderr
    assert weights(place.path("run")) == kept
    for path in (last, before):
        with open(path, "r+b") as f:
            f.truncate(os.path.getsize(path) // 2)
    with unchanged(place.path("run")):
        place.refuses(65, *arguments, names=["none of its 2 checkpoints", "last.h5: is", "--force"])
    os.remove(before)
    place.refuses(65, *arguments, names=["last.h5"])
    os.remove(last)
    place.refuses(73, *arguments, names=["no checkpoint"])


def case_checkpoint_of_a_newer_version(place):
    place.tune(*LONG, out="run")
    with h5py.File(place.path("run", "last.h5"), "r+") as f:
        f.attrs["checkpoint_format"] = 2.0
        f.attrs["xferrun_version"] = "9.9.9"
    place.refuses(65, *place.tuning(*LONG, "--resume", out="run"), names=["last.h5", "newer version, 9.9.9"])
