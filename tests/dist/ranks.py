"""Starting the program as several ranks, and comparing what they leave."""
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
sys.dont_write_bytecode = True

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from place import with_defaults  # noqa: E402
from program import ENVIRONMENT  # noqa: E402

# Open MPI refuses root, and more ranks than cores, unless it is told. The ranks' errors are what the cases look at.
MPI = {**ENVIRONMENT, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
TIMEOUT_S = 120
TRAINING = {"--model": "resnet18_narrow", "--preprocess": "unit", "--device": "cpu", "--seed": 3, "--epochs": 3}


class Done:
    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr


def training(data, out, *options, defaults=None):
    """The arguments of a short one from scratch; an option given here takes the place of its default."""
    return ["fine-tune", "--from-scratch", "--data", data, "--out", out, *with_defaults(defaults or TRAINING, options)]


def start(ranks, binary, *arguments, mpirun=()):
    """`ranks` ranks of the program. The caller gets mpirun's process."""
    command = ["mpirun", *mpirun, "-n", str(ranks), binary, *map(str, arguments)]
    return subprocess.Popen(command, env=MPI, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def finish(process, code=0, timeout=TIMEOUT_S):
    stdout, stderr = (stream.decode(errors="replace") for stream in process.communicate(timeout=timeout))
    shown = " ".join(process.args)
    assert code is None or process.returncode == code, f"{shown}\n  exit code {process.returncode}, not {code}: {stderr[-1500:]}"
    return Done(process.returncode, stdout, stderr)


def run(ranks, binary, *arguments, code=0, **more):
    return finish(start(ranks, binary, *arguments, **more), code)


def pids_of(binary, out):
    """The ranks that write to `out`, in the order in which they were started; mpirun is none of them."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except (OSError, ValueError):
            continue
        if words and words[0] == binary.encode() and out.encode() in words:
            found.append(int(entry))
    return sorted(found)


def tensors(file):
    """Every data set of numbers in a file, by name; but what a checkpoint says of seconds."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and name not in ("state", "about"):
            found[name] = item[()]

    with h5py.File(file, "r") as f:
        f.visititems(visit)
    return found


def same_bits(a, b):
    x, y = tensors(a), tensors(b)
    return x.keys() == y.keys() and all(x[name].tobytes() == y[name].tobytes() for name in x)


def distance(a, b):
    """Of all tensors of one file from those of another, relative to their size."""
    x, y = tensors(a), tensors(b)
    assert x.keys() == y.keys(), sorted(x.keys() ^ y.keys())
    difference = sum(np.sum((np.float64(x[name]) - y[name]) ** 2) for name in x)
    return float(np.sqrt(difference / sum(np.sum(np.float64(x[name]) ** 2) for name in x)))
