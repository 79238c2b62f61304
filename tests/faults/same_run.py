"""Whether two trainings ended with the same bits."""
import os

import numpy as np
from place import tensors


def check_same(run, reference):
    """Everything that the two runs learned."""
    with open(os.path.join(run, "evaluation.json")) as a, open(os.path.join(reference, "evaluation.json")) as b:
        assert a.read() == b.read(), "evaluation.json differs"
    for name in ("best.h5", "last.h5"):
        ours, theirs = (tensors(os.path.join(folder, name)) for folder in (run, reference))
        for timed in ("state", "about"):  # which hold seconds
            ours.pop(timed, None), theirs.pop(timed, None)
        assert ours.keys() == theirs.keys(), name
        for key, values in theirs.items():
            assert np.array_equal(ours[key].view(np.uint8), values.view(np.uint8)), f"{name}: {key}"
    lines = [[line.split('"seconds"')[0] for line in open(os.path.join(folder, "metrics.jsonl"))] for folder in (run, reference)]
    assert lines[0] == lines[1], "metrics.jsonl differs"
    left = [name for name in os.listdir(run) if name.endswith(".partial")]
    assert not left, left
