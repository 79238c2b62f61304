#!/usr/bin/python3
"""A training that is killed, and disks that fail: nothing is lost, and it ends with the same bits.

usage: run.py BINARY [MOMENTS]
  MOMENTS   at how many moments it is killed (default 40): half of them between two calls that write, sync or rename
            (shim.c), half at any time. Faults of the disk are at each of these calls in turn, at most that many.
Besides: folders that are read-only, full or without locks, and files that may not grow (disks.py).
Needs gcc, python3 with h5py and numpy. Prints a line for each part and a closing count; exits 1 when one failed.
"""
import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
sys.dont_write_bytecode = True

import disks  # noqa: E402
import pictures  # noqa: E402
from program import ENVIRONMENT, Skip  # noqa: E402
from same_run import check_same  # noqa: E402

EPOCHS = 3


class Training:
    """The same small training, in any folder."""

    def __init__(self, binary, here):
        self.binary, self.here = os.path.abspath(binary), here
        self.data = pictures.folder(os.path.join(here, "data"))
        self.shim = os.path.join(here, "shim.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", os.path.join(HERE, "shim.c"), "-o", self.shim, "-ldl"], check=True)

    def command(self, out, *options):
        arguments = ["fine-tune", "--model", "resnet18_narrow", "--from-scratch", "--preprocess", "unit", "--data", self.data, "--out", out,
                     "--epochs", EPOCHS, "--batch", 4, "--seed", 3, "--threads", 1, "--device", "cpu", "--optimizer", "adam", "--lr", 0.001,
                     "--ema", 0.9, "--checkpoint-minutes", 0.0005, *options]
        return [self.binary, *map(str, arguments)]

    def environment(self, out="", fault=None, count=None):
        if not fault and not count:
            return ENVIRONMENT
        counted = {"XFERRUN_FAULT_COUNT": count} if count else {}
        return {**ENVIRONMENT, "LD_PRELOAD": self.shim, "XFERRUN_FAULT": fault or "count:0", "XFERRUN_FAULT_FOLDER": out, **counted}

    def start(self, out, *options, **fault):
        return subprocess.Popen(self.command(out, *options), env=self.environment(out, **fault), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, out, *options, code=0, **more):
        process = self.start(out, *options, **more)
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == code, f"exit code {process.returncode}, not {code}: {stderr.decode(errors='replace')[-800:]}"
        return stderr.decode(errors="replace")


def killed(training, out, reference, fault, seconds, keep):
    """Killed, unless it is done before, and gone on with. Whether it was."""
    process = training.start(out, "--keep", keep, fault=fault)
    if seconds is not None:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    process.communicate(timeout=300)
    assert process.returncode in (0, -signal.SIGKILL), process.returncode
    died = process.returncode != 0
    training.run(out, "--resume", "--keep", keep)
    check_same(out, reference)
    return died


def failing(training, out, reference, fault):
    """A call fails: the training says so, and goes on once the disk does."""
    process = training.start(out, fault=fault)
    _, stderr = process.communicate(timeout=300)
    text = stderr.decode(errors="replace")
    if process.returncode != 0:
        assert process.returncode == 74, f"exit code {process.returncode}: {text[-800:]}"
        errors = [line for line in text.splitlines() if line.startswith("xferrun: error: ")]
        assert len(errors) == 1 and "terminate" not in text, text[-800:]
    training.run(out, "--resume")
    check_same(out, reference)
    return process.returncode != 0


def all_cases(calls, moments, seconds):
    draw = random.Random(1)
    writes = sorted(draw.sample(range(1, calls + 1), min(moments // 2, calls)))
    for i, number in enumerate(writes):
        yield f"killed at call {number} of {calls}", killed, (f"kill:{number}", None, 1 + i % 2)
    for i in range(moments - len(writes)):
        when = draw.uniform(0.02, seconds)
        yield f"killed after {when:.2f} s", killed, (None, when, 1 + i % 2)
    step = max(1, calls // moments)
    kinds = ["ENOSPC", "EIO", "short", "EDQUOT", "EROFS"]
    for i, number in enumerate(range(1, calls + 1, step)):
        yield f"{kinds[i % 5]} at call {number}", failing, (f"{kinds[i % 5]}:{number}",)


def main(binary, moments):
    here = tempfile.mkdtemp(prefix="xferrun-faults-")
    failed = passed = hit = 0
    try:
        training = Training(binary, here)
        reference, count = os.path.join(here, "reference"), os.path.join(here, "count")
        start = time.monotonic()
        training.run(reference, count=count)
        seconds = time.monotonic() - start
        calls = int(open(count).read())
        print(f"a training of {seconds:.1f} s with {calls} calls that write, sync or rename", flush=True)

        def one(number, function, arguments):
            out = os.path.join(here, f"run-{number}")
            hit = function(training, out, reference, *arguments)
            shutil.rmtree(out)
            return hit

        begun = disks.begun_run(training, os.path.join(here, "begun"), calls)
        for number, (name, function) in enumerate(disks.all_cases()):
            try:
                function(training, os.path.join(here, f"disk-{number}"), reference, begun)
                passed += 1
            except Skip as skip:
                print(f"skipped: faults {name}: {skip}", flush=True)
            except Exception as e:  # the others still run
                failed += 1
                print(f"FAIL {name}: {type(e).__name__}: {e}", flush=True)

        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            cases = [(name, pool.submit(one, i, function, arguments))
                     for i, (name, function, arguments) in enumerate(all_cases(calls, moments, seconds))]
            for name, result in cases:
                try:
                    hit += result.result()
                    passed += 1
                except Exception as e:  # the others still run
                    failed += 1
                    print(f"FAIL {name}: {type(e).__name__}: {e}", flush=True)
            print(f"{hit} of {len(cases)} trainings ended early", flush=True)  # the others were done before, or went on
    finally:
        shutil.rmtree(here, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 40))
