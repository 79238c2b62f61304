"""`predict` with a weight file: ImageNet's classifier names its classes, so a wrong preprocessing is plain to see."""
import glob
import json
import os

import h5py
import numpy as np

LAMPSHADE = 619


def classifier(place, outputs, winner=0):
    """A state dict of the shared run's network with another classifier, whose answer to anything is `winner`."""
    path = place.path("state_dict.h5")
    place.run("weights", "convert", os.path.join(place.finished_run, "best.h5"), "--to", "torchvision", "--out", path)
    with h5py.File(path, "a") as f:
        for name in list(f.attrs):
            del f.attrs[name]
        width = f["fc.weight"].shape[1]
        del f["fc.weight"], f["fc.bias"]
        f["fc.weight"] = np.zeros((outputs, width), np.float32)
        f["fc.bias"] = 8 * (np.arange(outputs) == winner).astype(np.float32)
    return path


def an_image(place):
    return sorted(glob.glob(os.path.join(place.data, "*", "*.png")))[0]


def case_the_classes_have_names(place):
    path = classifier(place, 1000, LAMPSHADE)
    done = place.run("predict", path, an_image(place), "--preprocess", "torch")
    answer = json.loads(done.stdout)
    assert answer["label"] == answer["top"][0]["label"] == "lampshade", answer
    assert "torch (from --preprocess)" in done.stderr, done.stderr


def case_preprocessing_must_be_said(place):
    path = classifier(place, 1000)
    place.refuses(2, "predict", path, an_image(place), names=["--preprocess", "state_dict.h5"])


def case_classes_without_names(place):
    path = classifier(place, 7)
    place.refuses(65, "predict", path, an_image(place), "--preprocess", "torch", names=["state_dict.h5", "7 classes"])


def case_a_best_file_alone_predicts_as_its_run(place):
    best = os.path.join(place.finished_run, "best.h5")
    a, b = (place.run("predict", model, an_image(place)).stdout for model in (place.finished_run, best))
    assert a == b
    place.refuses(2, "predict", place.finished_run, an_image(place), "--dialect", "keras", names=["--dialect"])
