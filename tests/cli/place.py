"""Where a case works: a folder of its own, and a data set and a run that all cases share and none may change."""
import json
import os
import shutil
import threading

import h5py
import numpy as np

import pictures
from program import Program

# A training of about a second.
SHORT = {"--model": "resnet18_narrow", "--device": "cpu", "--threads": 1, "--epochs": 1, "--batch": 8, "--seed": 3}
SCRATCH = {**SHORT, "--preprocess": "unit"}


def with_defaults(defaults, options):
    """The options, and those of the defaults that are not among them."""
    return [part for pair in defaults.items() if pair[0] not in options for part in pair] + list(options)


class Shared:
    """A data set, and a run on it: made when first asked for, by whichever case comes first."""

    def __init__(self, binary, folder):
        self.binary, self._folder, self._lock = binary, folder, threading.Lock()
        os.makedirs(folder)
        self.data = pictures.folder(os.path.join(folder, "data"))
        self._run = None

    @property
    def run(self):
        """A RUN folder: three epochs on `data`."""
        with self._lock:
            self._run = self._run or self._trained(os.path.join(self._folder, "run"))
            return self._run

    def _trained(self, out):
        options = ["--from-scratch", "--data", self.data, "--out", out, "--epochs", 3]
        Program(self.binary, self._folder).run("fine-tune", *with_defaults(SCRATCH, options))
        return out


class Place(Program):
    """The program, run in a folder that is empty at first."""

    def __init__(self, here, shared):
        super().__init__(shared.binary, here)
        self.here, self.shared = here, shared

    def path(self, *names):
        return os.path.join(self.here, *names)

    @property
    def data(self):
        return self.shared.data

    @property
    def finished_run(self):
        return self.shared.run

    def own_data(self):
        """A copy of the data set that the case may change."""
        return shutil.copytree(self.data, self.path("data"))

    def own_run(self):
        """A copy of the run that the case may change."""
        return shutil.copytree(self.finished_run, self.path("run"))

    def tune(self, *options, data=None, out="out", code=0, **more):
        """A short training from scratch into `out`."""
        return self.run(*self.tuning(*options, data=data, out=out), code=code, **more)

    def tuning(self, *options, data=None, out="out"):
        """The arguments of tune(); an option given here takes the place of its default."""
        to = ["--from-scratch", "--data", data or self.data, "--out", self.path(out)]
        return ["fine-tune", *to, *with_defaults(SCRATCH, options)]

    def tuning_from(self, weights, *options, data=None, out="out"):
        """The arguments of a short training that starts from a weight file."""
        to = ["--weights", weights, "--data", data or self.data, "--out", self.path(out)]
        return ["fine-tune", *to, *with_defaults(SHORT, options)]


def metrics(run):
    """The lines of metrics.jsonl."""
    with open(os.path.join(run, "metrics.jsonl")) as f:
        return [strict_json(line) for line in f]


def without_times(lines):
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]


def strict_json(text):
    """JSON without NaN and Infinity, which Python alone would take."""

    def refuse(name):
        raise ValueError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def tensors(path):
    """Every dataset of an HDF5 file by name."""
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, o: found.__setitem__(name, o[()]) if isinstance(o, h5py.Dataset) else None)
    return found


def same_tensors(a, b):
    """Whether two weight files hold the same tensors, bit for bit; returns the names of those that differ."""
    a, b = tensors(a), tensors(b)
    assert a.keys() == b.keys(), sorted(a.keys() ^ b.keys())
    return [name for name in a if a[name].tobytes() != b[name].tobytes()]


def all_finite(path):
    return all(np.isfinite(v).all() for v in tensors(path).values() if v.dtype.kind == "f")
