#!/usr/bin/python3
"""scikit-learn's and openTSNE's t-SNE, and `bench-tsne` on the same points in the same run, all judged by one exact function.

usage: tsne.py --venv DIR [--ours build/bin/bench-tsne] [--points 4000] [--dims 2048] [--rounds 3] [more: --help]

DIR is a virtual environment outside the repository; the first run makes it and installs scikit-learn, openTSNE and h5py (Debian:
python3-venv). bench-tsne makes the points, clusters of different widths, or takes --features FILE.h5.

A round runs each in turn, in a process of its own, on --threads threads; a row's seconds are the median of the rounds, from the
points in memory to the map. scikit-learn has two rows: as it comes, and with one degree of freedom: for maps of three dimensions it
takes two, another function than the paper's. openTSNE has FFTs for one and two dimensions alone: here it runs Barnes-Hut too.
The judge: KL divergence between dense affinities of all pairs, in double precision, and the map's by van der Maaten & Hinton 2008. For
scikit-learn as it comes the last column has its own function of two degrees of freedom.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

PEERS = ("sklearn", "sklearn, 1 degree of freedom", "openTSNE")


def dense_affinities(x, perplexity):
    """p of all pairs, each row's entropy to 1e-9."""
    import numpy as np

    x = x.astype(np.float64) - x.mean(0)
    n, squares = len(x), (x * x).sum(1)
    d = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0)
    np.fill_diagonal(d, np.inf)
    d -= d.min(1)[:, None]
    finite = np.where(np.isfinite(d), d, 0)
    low, high, b = np.zeros(n), np.full(n, np.inf), (n - 1) / finite.sum(1)
    for _ in range(100):
        e = np.exp(-b[:, None] * d)
        total = e.sum(1)
        over = np.log(total) + b * (e * finite).sum(1) / total - np.log(perplexity)
        if np.abs(over).max() < 1e-9:
            break
        low, high = np.where(over > 0, b, low), np.where(over > 0, high, b)
        b = np.where(np.isinf(high), 2 * b, (low + high) / 2)
    p = e / total[:, None]
    return (p + p.T) / (2 * n)


def divergence(p, y, freedom=1):
    import numpy as np

    y = y.astype(np.float64)
    squares = (y * y).sum(1)
    w = (1 + np.maximum(squares[:, None] + squares - 2 * y @ y.T, 0) / freedom) ** (-(freedom + 1) / 2)
    np.fill_diagonal(w, 0)
    some = p > 0
    return float((p[some] * np.log(p[some] / (w / w.sum())[some])).sum())


# ---- one peer, in a process of its own, with the virtual environment's Python


def run_peer(peer, path, out, options):
    import h5py
    import numpy as np

    with h5py.File(path, "r") as f:
        x = f["features"][:]
    if peer == "openTSNE":
        import openTSNE
        start = time.perf_counter()
        y = np.asarray(openTSNE.TSNE(n_components=options.dimensions, perplexity=options.perplexity, n_jobs=options.threads,
                                     negative_gradient_method="bh", random_state=0).fit(x))
    else:
        from sklearn.manifold import TSNE

        class OneDegree(TSNE):
            def _tsne(self, P, degrees_of_freedom, *more, **named):
                return super()._tsne(P, 1, *more, **named)

        kind = TSNE if peer == "sklearn" else OneDegree
        start = time.perf_counter()
        y = kind(n_components=options.dimensions, perplexity=options.perplexity, n_jobs=options.threads,
                 random_state=0).fit_transform(x)
    seconds = time.perf_counter() - start
    np.save(out, y)
    print(json.dumps({"seconds": seconds}))


def judge(options, path, maps):
    import h5py
    import numpy as np

    with h5py.File(path, "r") as f:
        p, ours = dense_affinities(f["features"][:], options.perplexity), f["embedding"][:]
    found = {"xferrun": {"kl": divergence(p, ours)}}
    for peer, file in maps.items():
        y = np.load(file)
        found[peer] = {"kl": divergence(p, y)}
        if peer == "sklearn" and options.dimensions == 3:
            found[peer]["own_kl"] = divergence(p, y, freedom=2)
    print(json.dumps(found))


# ---- all of them


def output_of(command, threads):
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"tsne.py: {' '.join(command)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def prepared(venv):
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    packages = ["scikit-learn", "openTSNE", "h5py"]
    if subprocess.run([python, "-c", "import sklearn, openTSNE, h5py"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def main(options):
    python = prepared(options.venv)
    same = [f"--{k}={getattr(options, k)}" for k in ("dimensions", "perplexity", "threads")]
    with tempfile.TemporaryDirectory() as folder:
        points, maps = os.path.join(folder, "ours.h5"), {}
        source = ["--features", options.features] if options.features else [f"--points={options.points}", f"--dims={options.dims}"]
        seconds = {"xferrun": []}
        for _ in range(options.rounds):
            ours = output_of([options.ours, *source, *same, "--out", points, "--json"], options.threads)
            seconds["xferrun"].append(ours["seconds"])
            for peer in options.peers:
                maps[peer] = os.path.join(folder, f"{PEERS.index(peer)}.npy")
                row = output_of([python, __file__, "--venv", options.venv, "--peer", peer, points, maps[peer], *same], options.threads)
                seconds.setdefault(peer, []).append(row["seconds"])
        verdict = [python, __file__, "--venv", options.venv, "--judge", points, json.dumps(maps), *same]
        judged = output_of(verdict, options.threads)
    mine = statistics.median(seconds["xferrun"])
    print(f"{ours['points']} points of {ours['dims']} numbers, {options.dimensions} dimensions, {options.threads} threads; "
          f"ours reports KL {ours['kl_divergence']:.4f}\n")
    print(f"{'':32}{'seconds':>9}{'by ours':>9}{'KL':>9}{'own KL':>9}")
    for name, all_seconds in seconds.items():
        median, own = statistics.median(all_seconds), judged[name].get("own_kl")
        print(f"{name:32}{median:9.2f}{median / mine:9.1f}{judged[name]['kl']:9.4f}{'' if own is None else f'{own:9.4f}'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", required=True)
    parser.add_argument("--ours", default="build/bin/bench-tsne")
    parser.add_argument("--features")
    parser.add_argument("--points", type=int, default=4000)
    parser.add_argument("--dims", type=int, default=2048)
    parser.add_argument("--dimensions", type=int, default=3)
    parser.add_argument("--perplexity", type=float, default=30)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--peer", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--judge", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peer:
        run_peer(*chosen.peer, chosen)
    elif chosen.judge:
        judge(chosen, chosen.judge[0], json.loads(chosen.judge[1]))
    else:
        main(chosen)
