"""What every comparison needs: cases by name, progress, random weights, and the program's answers.

Needs numpy, h5py and Pillow alone: the scripts that use it run under the Python of each framework.
"""
import argparse
import fnmatch
import pathlib
import shutil
import subprocess
import sys
import time
import traceback
import zlib

import h5py
import numpy as np
from PIL import Image

# Of the largest value of the reference. In f32 a sum of K products differs between two orders of summation by some
# sqrt(K) 2^-24, 4e-6 for the longest here (VGG's 25088); the layers behind it carry that on and add their own.
TOLERANCE = 1e-4
CLASSES = 22
TOOLS = pathlib.Path()  # build/bin, set by main()


def random_of(name):
    """The generator of this name: the same numbers in every run and on every framework."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def normal(random, shape, scale):
    return random.standard_normal(shape, np.float32) * np.float32(scale)


def kernel(random, shape, fan_in):
    """He's scale: what goes through a ReLU network neither dies out nor grows."""
    return normal(random, shape, (2 / fan_in) ** 0.5)


def channel_scale(random, channels):
    """What kernels before a batch norm are multiplied with, so that its statistics are far from 0 and 1."""
    return np.exp(random.uniform(-1, 1, channels)).astype(np.float32)


def gamma(random, shape):
    return random.uniform(0.5, 1.5, shape).astype(np.float32)


def bias(random, shape):
    return normal(random, shape, 0.3)


def beta(random, shape):
    """Most channels are mostly above 0: random batch-normalised ReLU networks, whose channels are half below, make a
    small difference grow by some 1.2 in each layer (Yang et al. 2019), a thousandfold in 40."""
    return 1 + normal(random, shape, 0.3)


def settled(variance):
    """A batch's variances as running ones: a channel that hardly varies is not blown up. With the statistics of a
    batch every layer gets values of the order of 1, so that no layer drowns what the others did."""
    return np.maximum(variance, 0.01 * variance.mean())


def difference(ours, reference):
    """The largest difference as a part of the largest value."""
    ours, reference = np.asarray(ours, np.float64), np.asarray(reference, np.float64)
    if ours.shape != reference.shape:
        raise ValueError(f"shape {ours.shape} instead of {reference.shape}")
    return float(np.abs(ours - reference).max() / max(np.abs(reference).max(), 1e-30))


def run_tool(tool, *arguments):
    """Runs an executable beside xferrun; returns its standard output."""
    done = subprocess.run([TOOLS / tool, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{tool} {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
    return done.stdout


def results_of(network, layer, out, *images):
    """A layer's values by the program: `network` is a RUN folder, or --model and --weights."""
    run_tool("xferrun", "features", *network, *images, "--layer", layer, "--precision", "f32", "--out", out, "--force")
    with h5py.File(out) as f:
        return f["features"][()]


def compare_reading(folder, model, dialect, weights, tensor, expected):
    """Features and logits of a weight file on a batch (n,h,w,c); `expected` maps layers to the framework's values."""
    inputs = folder / "input.h5"
    with h5py.File(inputs, "w") as f:
        f["images"] = tensor
    network = ("--model", model, "--dialect", dialect, "--weights", weights)
    return {
        layer: difference(
            results_of(network, layer, folder / "features.h5", "--tensor", f"{inputs}:/images").reshape(values.shape),
            values,
        )
        for layer, values in expected.items()
    }


# Training: SGD with momentum 0.9, and Adam with this epsilon (steps.cpp).
STEPS = 3
RATES = {"sgd": 2e-4, "adam": 1e-5}
# VGG has no batch normalisation: at those rates its loss leaps (2.9 to 7.1), and two f32 programs part from each other
# as far as each does from f64.
GENTLER = {"vgg16": {"sgd": 2e-6, "adam": 1e-6}}
ADAM_EPSILON = 1e-3
# Of the length of all that the steps changed. The gradients pass some hundred layers, each of which makes differences
# a little larger: Keras's own change in f32 is 5e-3 from the one in f64 where the loss falls fast.
CHANGE_TOLERANCE = 1e-2
# How many times as far from the exact sums Winograd's F(4x4, 3x3) may be as direct sums are, layer by layer, and so losses
# and weights: 20 for the 16 channels that it takes at least (README.md derives it).
WINOGRAD = 80 * (16 + 20) / (9 * 16)
# How the program computes convolutions, and the factor that its tolerances have then.
CONVOLUTIONS = {"direct": 1, "by-rule": WINOGRAD}
# Of a training batch (n,h,w): what the fully connected layers fix, or odd and no square.
BATCHES = {"inception_v3": (4, 139, 171), "resnet50": (4, 97, 129), "vgg16": (2, 224, 224)}


def training_batch(name):
    """Bytes and labels."""
    random = random_of(f"training {name}")
    images = random.integers(0, 256, (*BATCHES[name], 3), np.uint8)
    return images, random.integers(0, CLASSES, len(images))


def rate_of(name, optimizer):
    return GENTLER.get(name, RATES)[optimizer]


def take_steps(folder, model, dialect, weights, images, labels, optimizer):
    """For each way to compute convolutions, the program's losses before each step, and the file of its weights after the
    last."""
    batch = folder / "batch.h5"
    with h5py.File(batch, "w") as f:
        f["images"], f["labels"] = images, labels
    rule = (optimizer, rate_of(model, optimizer), STEPS)
    stepped = {}
    for convolutions in CONVOLUTIONS:
        out = folder / f"stepped-{convolutions}.h5"
        losses = run_tool("parity-steps", model, dialect, weights, batch, *rule, convolutions, out)
        stepped[convolutions] = [float(line) for line in losses.split()], out
    return stepped


def compare_training(stepped, read, theirs, before, their_losses):
    """Losses, the worst tensor after the last step, and what the steps added to all of them, for each way of
    take_steps(). `read` makes its file a list of arrays as `theirs` and `before` are."""
    all_passed, texts = True, []
    moved = sum(np.square(t - b, dtype=np.float64).sum() for t, b in zip(theirs, before, strict=True))
    for convolutions, (losses, path) in stepped.items():
        ours, factor = read(path), CONVOLUTIONS[convolutions]
        apart = sum(np.square(o - t, dtype=np.float64).sum() for o, t in zip(ours, theirs, strict=True))
        change = float((apart / moved) ** 0.5)
        passed, text = largest(
            {
                "losses": max(abs(a - b) / abs(b) for a, b in zip(losses, their_losses, strict=True)),
                "weights": max(difference(o, t) for o, t in zip(ours, theirs, strict=True)),
            },
            factor * TOLERANCE,
        )
        all_passed = all_passed and passed and change <= factor * CHANGE_TOLERANCE
        texts.append(f"{convolutions}: {text}, their change {change:.1e}")
    return all_passed, "; ".join(texts)


def preprocessed(images, how):
    """Bytes (n,h,w,3) as a network's definition wants them."""
    x = images.astype(np.float32)
    if how == "tf":
        return x / 127.5 - 1
    if how == "unit":
        return x / 255
    if how == "caffe":
        return x[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    if how == "bn_inception":
        return x[..., ::-1] - np.array([104, 117, 128], np.float32)
    if how == "torch":
        mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        return (x / 255 - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    raise ValueError(how)


def largest(differences, tolerance=TOLERANCE):
    """What a case returns: whether it passed, and its figures as text."""
    passed = all(d <= tolerance for d in differences.values())  # false for NaN
    return passed, ", ".join(f"{name} {d:.1e}" for name, d in differences.items())


def make_images(folder, height, width, channels=3):
    """Class folders of noise with a bright band whose place tells the class; nothing has to be resized."""
    random = np.random.default_rng(0)
    for place, label in enumerate(["arch", "blip", "line"]):
        (folder / label).mkdir(parents=True)
        for i in range(4):
            pixels = random.integers(0, 120, (height, width, channels))
            pixels[height // 6 + height // 4 * place :][: height // 8, :, place % channels] += 120
            pixels = pixels.astype(np.uint8)
            Image.fromarray(pixels if channels == 3 else pixels[..., 0]).save(folder / label / f"{i}.png")
    return sorted(folder.glob("*/*.png"))


def fine_tuned(folder, model, dialect, height, width, channels=3, origin=("--from-scratch",)):
    """A short training of a network, from scratch or from what `origin` says: its RUN folder, its images as bytes, and
    the logits that the program gives them."""
    data, run = folder / "data", folder / "run"
    paths = make_images(data, height, width, channels)
    start = ("--model", model, "--dialect", dialect, *origin)
    parts = ("--val-fraction", "0.25", "--test-fraction", "0.25")
    # VGG has no batch normalisation: on Keras's inputs of up to 150 a larger rate kills it.
    rate = "1e-6" if model.startswith("vgg") else "0.001"
    rule = ("--epochs", "1", "--batch", "3", "--lr", rate, "--precision", "f32")
    run_tool("xferrun", "fine-tune", *start, "--data", data, "--out", run, *parts, *rule)
    logits = results_of((run,), "logits", folder / "logits.h5", "--data", data)
    images = np.stack([np.asarray(Image.open(p)).reshape(height, width, channels) for p in paths])
    return run, images, logits


def main(cases):
    """Runs the cases whose names match one of the patterns. Each is a function of an empty folder that returns
    whether it passed and a text; exits 1 when one does not pass."""
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path, help="a line is added for each case: name, ok or FAILED, figures")
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    global TOOLS
    TOOLS = options.binary.resolve().parent
    work = options.results.parent / f"work-{pathlib.Path(sys.argv[0]).stem}"
    chosen = [
        (name, case)
        for name, case in cases
        if not options.patterns or any(fnmatch.fnmatch(name, p) for p in options.patterns)
    ]
    failed = 0
    for i, (name, case) in enumerate(chosen):
        print(f"[{i + 1}/{len(chosen)}] {name}: ", end="", flush=True)
        start = time.monotonic()
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            passed, text = case(work)
        except Exception as e:  # one broken case must not hide the others
            passed, text = False, f"{type(e).__name__}: {e}"
            if not isinstance(e, RuntimeError):
                traceback.print_exc()
        failed += not passed
        word = "ok" if passed else "FAILED"
        print(f"{word}: {text} ({time.monotonic() - start:.0f} s)", flush=True)
        with options.results.open("a") as f:
            print(name, word, " ".join(text.split()), sep="\t", file=f)
    shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failed else 0)
