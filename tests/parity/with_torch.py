"""Compares the program with PyTorch: torchvision's networks and BN-Inception.

usage: with_torch.py BINARY RESULTS [PATTERN...]
"""
import functools

import torch

from common import compare_reading, difference, fine_tuned, largest, main, preprocessed, run_tool
from torch_networks import SIZES, as_batch, build, dialect, preprocessing, random_network, read_flat, write_flat
from torch_steps import training_cases


def reading(name, separator, top, folder):
    model, images, expected = random_network(name)
    path = folder / "x.h5"
    write_flat(model, path, separator, top)
    wanted = expected if top else {"features": expected["features"]}
    return largest(compare_reading(folder, name, dialect(name), path, images, wanted))


def reading_cases():
    for name in SIZES:
        yield f"read/{name}/torch-dots", functools.partial(reading, name, ".", True)
        yield f"read/{name}/torch-slashes", functools.partial(reading, name, "/", True)
        yield f"read/{name}/torch-dots-notop", functools.partial(reading, name, ".", False)


def best(name, folder):
    """PyTorch loads a run's best.h5, converted to a flat state dict, and gives the same logits."""
    size = 299 if name == "inception_v3" else 224
    run, images, ours = fine_tuned(folder, name, dialect(name), size, size)
    flat = folder / "flat.h5"
    run_tool("xferrun", "weights", "convert", run / "best.h5", "--to", "torchvision", "--out", flat)
    model = build(name, classes=3, **({"aux_logits": False} if name == "inception_v3" else {}))
    read_flat(model, flat)
    with torch.no_grad():
        theirs = model(as_batch(preprocessed(images, preprocessing(name)))).numpy()
    return largest({"logits": difference(ours.reshape(theirs.shape), theirs)})


def best_cases():
    for name in ["inception_v2", "inception_v3", "resnet18", "resnet50", "vgg16", "vgg16_bn"]:
        yield f"best/{name}/torch", functools.partial(best, name)


main([*reading_cases(), *training_cases(), *best_cases()])
