"""Keras loads the best.h5 of an InceptionV3 run, and predicts what the program predicts with it.

usage: keras_loads_best.py BINARY
Trains one short epoch on images made here, from the weights in $XFERRUN_TEST_DATA where that is set, else from scratch.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
from PIL import Image

CLASSES, PER_CLASS, SIZE = ["arch", "blip", "line"], 8, 299
# f32 through 94 convolutions: features agree within 2e-4 of the largest (the program's own bound). A logit is a
# sum of 2048 of them, and a probability moves by at most a quarter of what the logits' difference moves.
TOLERANCE = 1e-3


def make_images(folder):
    """Noise with a bright band whose place tells the class; 299x299, so that nothing is resized."""
    random = np.random.default_rng(0)
    for place, label in enumerate(CLASSES):
        (folder / label).mkdir(parents=True)
        for i in range(PER_CLASS):
            pixels = random.integers(0, 120, (SIZE, SIZE, 3))
            pixels[60 + 80 * place : 90 + 80 * place, :, place] += 120
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{i}.png")


def train(binary, data, run):
    weights = pathlib.Path(os.environ.get("XFERRUN_TEST_DATA", "")) / "inception_v3_trunk.h5"
    start = ["--weights", str(weights)] if weights.is_file() else ["--from-scratch"]
    command = [binary, "fine-tune", "--model", "inception_v3", *start, "--dialect", "keras", "--preprocess", "unit"]
    command += ["--data", str(data), "--out", str(run), "--epochs", "1", "--batch", "4", "--precision", "f32"]
    subprocess.run(command, check=True)


def ours(binary, run, images):
    command = [binary, "predict", str(run), *map(str, images), "--precision", "f32", "--json"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in text.splitlines()]
    return np.array([[next(t["probability"] for t in l["top"] if t["label"] == c) for c in CLASSES] for l in lines])


def keras_s(best, images):
    model = keras.applications.InceptionV3(weights=None, classes=len(CLASSES))
    model.load_weights(best)
    return model.predict(np.stack([np.asarray(Image.open(i), np.float32) / 255 for i in images]), verbose=0)


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        data, run = pathlib.Path(folder) / "data", pathlib.Path(folder) / "run"
        make_images(data)
        train(binary, data, run)
        images = sorted(data.glob("*/*.png"))[::3]
        difference = np.abs(ours(binary, run, images) - keras_s(run / "best.h5", images)).max()
    print(f"keras_loads_best: {len(images)} images, largest difference of a probability {difference:.1e}")
    return 0 if difference <= TOLERANCE else 1


sys.exit(main())
