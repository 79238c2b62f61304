#!/usr/bin/env python3
"""Writes hdbscan_goldens.h5: points, and what scikit-learn's HDBSCAN makes of them.

Mutual reachability has many equal distances, and which of them scikit-learn takes first depends on the order of the points. Points
are drawn until two hundred orders of them give the same clusters.

usage: make_hdbscan_goldens.py OUT.h5      (needs scikit-learn 1.3 or later, h5py, numpy)
"""
import sys

import h5py
import numpy as np
from sklearn.cluster import HDBSCAN


def blobs(rng, sizes, dims, spread):
    return np.concatenate([rng.normal(rng.normal(0, spread, dims), rng.uniform(0.3, 1.5), (n, dims)) for n in sizes])


def moons(rng, n):
    """Two arcs that interlock, in scattered noise."""
    t = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(t), np.sin(t)], axis=1)
    lower = np.stack([1 - np.cos(t), 0.4 - np.sin(t)], axis=1)
    points = np.concatenate([upper, lower]) + rng.normal(0, 0.05, (2 * n, 2))
    return np.concatenate([points, rng.uniform(-1.5, 2.5, (n // 3, 2))])


CASES = {  # how to draw, min_cluster_size, min_samples
    "blobs": (lambda rng: blobs(rng, [120, 80, 40, 20], 5, 4), 10, 5),
    "overlapping": (lambda rng: blobs(rng, [150, 100, 70], 3, 1.5), 8, 4),
    "moons": (lambda rng: moons(rng, 150), 15, 5),
    "many": (lambda rng: blobs(rng, [30] * 12, 8, 3), 6, 6),
    "no_structure": (lambda rng: rng.normal(size=(200, 6)), 5, 5),
}


def found(points, order, options):
    """Labels by falling size of their clusters, and probabilities, of the points clustered in that order."""
    model = HDBSCAN(min_cluster_size=options[0], min_samples=options[1], algorithm="kd_tree").fit(points[order])
    labels, probabilities = np.empty(len(points), int), np.empty(len(points))
    labels[order], probabilities[order] = model.labels_, model.probabilities_
    sizes = [(-(labels == c).sum(), np.argmax(labels == c), c) for c in range(labels.max() + 1)]
    number = {c: n for n, (_, _, c) in enumerate(sorted(sizes))} | {-1: -1}
    return np.array([number[c] for c in labels]), probabilities


def main(out):
    with h5py.File(out, "w") as f:
        for name, (draw, *options) in CASES.items():
            for seed in range(1000):
                rng = np.random.default_rng([20180620, seed])
                points = draw(rng).astype(np.float32).astype(np.float64)
                labels, probabilities = found(points, np.arange(len(points)), options)
                orders = [rng.permutation(len(points)) for _ in range(200)]
                if labels.max() > 0 and all(np.array_equal(found(points, o, options)[0], labels) for o in orders):
                    break
            group = f.create_group(name)
            group.create_dataset("points", data=points.astype(np.float32), compression="gzip")
            group.create_dataset("labels", data=labels.astype(np.int16))
            group.create_dataset("probabilities", data=probabilities.astype(np.float32))
            group.create_dataset("options", data=np.array(options, np.int32))
            print(f"{name} (seed {seed}): {points.shape}, {labels.max() + 1} clusters, {(labels < 0).sum()} in none")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
