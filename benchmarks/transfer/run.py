#!/usr/bin/python3
"""Does pretraining help? Fine-tunes VGG16 and InceptionV3 from pretrained trunks and from scratch, and tells both accuracies.

usage: run.py --data DIR [--ours build/bin/xferrun] [--out build-transfer] [--jobs 2] [more: --help]

DIR holds vgg16_notop.h5, inception_v3_trunk.h5, glitch27_examples/ and o3_scattering_koi/; `xferrun simulate` makes the other
sets. Every training takes about --updates updates of 16 images, whatever the set and the start; the rate warms up over the first
quarter. For each set, network and start, the rate is the one that has the best validation accuracy (ties: the lower loss) in a
training with seed 0; it is kept for all --seeds, each of which draws its own split, new weights and order. Both starts have the
same rates, updates and splits, so the difference is taken seed by seed.

Validation chooses the best epoch, except on glitch27_examples, which has two or three glitches of most classes: one is tested, and
one of the others is validated where the rate is chosen. The trainings that are reported learn from both and take the last epoch.

A line of --out/results.tsv is a training. Those that are there already are not repeated: a run that was cut off goes on.
"""
import argparse
import collections
import concurrent.futures
import csv
import json
import math
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys

BATCH = 16
# Trunk, its preprocessing, input size, precision (the faster one on CPUs), rates.
NETWORKS = {
    "vgg16": ("vgg16_notop.h5", "caffe", "64x64", "f32", ("0.0001", "0.001")),
    "inception_v3": ("inception_v3_trunk.h5", "unit", "75x75", "bf16", ("0.001", "0.003", "0.01", "0.03")),
}
STARTS = ("pretrained", "scratch")
SIMULATED = ("Blip", "Chirp", "Koi_Fish", "Low_Frequency_Burst", "Power_Line", "Scattered_Light", "Tomte", "Whistle")
SIMULATED_SIZES, VALIDATED, TESTED = (5, 20, 80), 5, 20  # a class
SETS = ("o3_scattering_koi", "glitch27_examples", *(f"simulated, {n} a class" for n in SIMULATED_SIZES))
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}  # Student's t, by degrees of freedom
FIELDS = ("set", "network", "start", "rate", "seed", "parts", "validation_top1", "validation_loss", "test_top1")


def simulated(options, size):
    """The file with `size` glitches a class to train on."""
    path = options.out / f"simulated_{size}.h5"
    if not path.exists():
        count = size + VALIDATED + TESTED
        subprocess.run([options.ours, "simulate", "--out", path, "--per-class", str(count), "--seed", str(size),
                        "--threads", "1", "--classes", *SIMULATED], check=True, capture_output=True)
    return path


def manifest(options, seed, parts):
    """A split of glitch27_examples by glitch, drawn for each class, and how many of its images train."""
    random_of_seed, rows = random.Random(seed), []
    for folder in sorted((options.data / "glitch27_examples").iterdir()):
        glitches = collections.defaultdict(list)
        for image in sorted(folder.glob("*.png")):
            glitches[re.sub(r"_\d\.\d$", "", image.stem)].append(image)
        names = sorted(glitches)
        random_of_seed.shuffle(names)
        third = max(1, round(len(names) / 3))
        validated = third if parts == "with validation" and len(names) > 2 * third else 0
        for i, name in enumerate(names):
            part = "test" if i < third else "validation" if i < third + validated else "train"
            rows += [(image, folder.name, part, f"{folder.name}/{name}") for image in glitches[name]]
    path = options.out / f"glitch27_{seed}_{parts.replace(' ', '_')}.csv"
    with path.open("w", newline="") as f:
        csv.writer(f).writerows([("path", "label", "split", "id"), *rows])
    return path, sum(row[2] == "train" for row in rows)


def data_of(options, name, seed, parts):
    """fine-tune's options for a set, and how many images train."""
    if name == "glitch27_examples":
        path, training = manifest(options, seed, parts)
        return ["--data", path], training
    if name == "o3_scattering_koi":
        return ["--data", options.data / name], 252
    size = int(re.search(r"\d+", name)[0])
    count = size + VALIDATED + TESTED
    return ["--data", simulated(options, size), "--view", "stack:0.5,1.0,2.0", "--val-fraction", f"{VALIDATED / count:.6f}",
            "--test-fraction", f"{TESTED / count:.6f}"], size * len(SIMULATED)


def trained(options, key):
    """A training: validation accuracy and loss of its best epoch, and test accuracy."""
    name, network, start, rate, seed, parts = key
    trunk, preprocess, size, precision, _ = NETWORKS[network]
    where, training = data_of(options, name, seed, parts)
    epochs = max(1, round(options.updates / math.ceil(training / BATCH)))
    run = options.out / "-".join(re.sub(r"\W+", "_", str(part)) for part in key)
    begin = ["--weights", options.data / trunk, "--preprocess", preprocess]
    if start == "scratch":
        begin = ["--from-scratch", "--dialect", "keras", "--preprocess", "tf"]
    command = [options.ours, "fine-tune", "--model", network, *begin, *where, "--input-size", size, "--precision", precision,
               "--epochs", epochs, "--warmup", epochs / 4, "--lr", rate, "--seed", seed, "--batch", BATCH, "--threads", 1,
               *(["--head", "pool"] if network == "vgg16" else []), "--out", run, "--force"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode == 76:  # diverged
        return 0.0, math.inf, 0.0
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr[-1000:]}")
    epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    best = max(((e.get("val_top1") or 0.0, -(e.get("val_loss") or 0.0)) for e in epochs))
    tested = json.loads((run / "evaluation.json").read_text())["top1"]
    shutil.rmtree(run)
    return best[0], -best[1], tested


class Results:
    """The lines of results.tsv, by what was trained."""

    def __init__(self, path):
        self.path, self.of = path, {}
        if path.exists():
            for row in csv.DictReader(path.open(), delimiter="\t"):
                key = (row["set"], row["network"], row["start"], row["rate"], int(row["seed"]), row["parts"])
                self.of[key] = tuple(float(row[field]) for field in FIELDS[6:])
        else:
            path.write_text("\t".join(FIELDS) + "\n")

    def get(self, options, *key):
        """Trains where that was not done yet."""
        if key not in self.of and not options.table:
            numbers = [f"{number:.6g}" for number in trained(options, key)]
            self.of[key] = tuple(map(float, numbers))
            with self.path.open("a") as f:
                print(*key, *numbers, sep="\t", file=f)
            print(*key, *numbers, file=sys.stderr, flush=True)
        return self.of.get(key)


def cell(options, results, name, network, start):
    """The rate chosen for a set, network and start, and the test accuracies that it gives, by seed."""
    rates = NETWORKS[network][4]
    chosen = {rate: results.get(options, name, network, start, rate, 0, "with validation") for rate in rates}
    if None in chosen.values():
        return None, {}
    rate = max(rates, key=lambda r: (chosen[r][0], -chosen[r][1]))
    parts = "all" if name == "glitch27_examples" else "with validation"
    tests = {seed: results.get(options, name, network, start, rate, seed, parts) for seed in range(options.seeds)}
    return rate, {seed: result[2] for seed, result in tests.items() if result}


def interval(numbers):
    """Mean and 95 % interval in per cent, as text."""
    numbers = [100 * number for number in numbers]
    if len(numbers) < 2:
        return " ".join(f"{number:.1f}" for number in numbers) or "not run"
    half = T_975[len(numbers) - 1] * statistics.stdev(numbers) / len(numbers) ** 0.5
    return f"{statistics.mean(numbers):.1f} ± {half:.1f}"


def table(options, found):
    print("| set | network | pretrained: rate, top-1 % | from scratch: rate, top-1 % | difference | seeds |\n|---|---|---|---|---|---|")
    for name in options.sets:
        for network in options.networks:
            (rate, ours), (scratch_rate, scratch) = (found[name, network, start] for start in STARTS)
            both = sorted(ours.keys() & scratch.keys())
            difference = interval([ours[seed] - scratch[seed] for seed in both])
            print(f"| {name} | {network} | {rate}: {interval(ours.values())} | {scratch_rate}: {interval(scratch.values())} "
                  f"| {difference} | {len(both)} |")


def main(options):
    options.out.mkdir(parents=True, exist_ok=True)
    results = Results(options.out / "results.tsv")
    if not options.table:
        for size in SIMULATED_SIZES:
            simulated(options, size)
    cells = [(name, network, start) for name in options.sets for network in options.networks for start in STARTS]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {c: pool.submit(cell, options, results, *c) for c in cells}
        concurrent.futures.wait(waiting.values(), return_when=concurrent.futures.FIRST_EXCEPTION)
        pool.shutdown(cancel_futures=True)
    table(options, {c: future.result() for c, future in waiting.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--ours", type=pathlib.Path, default="build/bin/xferrun")
    parser.add_argument("--out", type=pathlib.Path, default="build-transfer")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, each on one thread")
    parser.add_argument("--updates", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=SETS)
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--table", action="store_true", help="train nothing: the table of what is there")
    main(parser.parse_args())
