"""Interrupted: no half-written file stays behind."""
import glob
import os
import signal
import subprocess
import time

from place import all_finite


def stopped(process, ready, number):
    """Sends the signal once ready() holds; the program must die of it, or say that it was stopped."""
    end = time.monotonic() + 60
    while not ready():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode in (-number, 75), (process.returncode, stderr)
    assert b"terminate" not in stderr, stderr


def partials(folder):
    return glob.glob(os.path.join(glob.escape(folder), "**", ".*.partial"), recursive=True)


def case_training(place):
    for number in (signal.SIGINT, signal.SIGTERM):
        out = f"out{number}"
        best = place.path(out, "best.h5")
        process = place.start(*place.tuning("--epochs", 1000, "--val-fraction", 0, out=out), stderr=subprocess.PIPE)
        stopped(process, lambda best=best: os.path.exists(best), number)
        assert not partials(place.here) and all_finite(best)
        place.run("evaluate", place.path(out), "--data", place.data)


def case_features(place):
    """Its file is open from the start."""
    process = place.start("features", place.finished_run, "--data", place.data, "--out", "f.h5", "--threads", 1,
                          stderr=subprocess.PIPE)
    stopped(process, lambda: partials(place.here), signal.SIGINT)
    assert not os.listdir(place.here), os.listdir(place.here)
