"""The networks as torchvision (and for inception_v2 Cadene) builds them, with random weights."""
import functools

import h5py
import numpy as np
import torch
import torchvision
from torch import nn

from bn_inception import BNInception
from common import CLASSES, beta, bias, channel_scale, gamma, kernel, normal, random_of, settled

# Extents that are no square and not even, where the top layers do not fix them. BN-Inception's rounded-up pools meet
# its convolutions only in multiples of 32.
SIZES = {
    "inception_v2": (96, 160),
    "inception_v3": (139, 171),
    **{f"resnet{depth}": (97, 129) for depth in [18, 34, 50, 101, 152]},
    **{f"vgg{depth}{bn}": (224, 224) for depth in [11, 13, 16, 19] for bn in ["", "_bn"]},
}


def preprocessing(name):
    return {"inception_v2": "bn_inception", "inception_v3": "tf"}.get(name, "torch")


def dialect(name):
    return "caffe" if name == "inception_v2" else "torchvision"


def build(name, classes=CLASSES, **options):
    if name == "inception_v2":
        return BNInception(classes).eval()
    if name == "inception_v3":  # the program applies torchvision's transform_input with the preprocessing
        options = {"init_weights": False, "transform_input": False, **options}
    return getattr(torchvision.models, name)(weights=None, num_classes=classes, **options).eval()


def top_of(model):
    """The layer that gives the logits."""
    for name in ["fc", "last_linear"]:
        if hasattr(model, name):
            return name, getattr(model, name)
    return f"classifier.{len(model.classifier) - 1}", model.classifier[-1]


def as_batch(images):
    """(n,h,w,c) to torch's (n,c,h,w)."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def randomise(model, random, images):
    """Random weights; the running statistics are those of the batch."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]

    def draw(parameter, values):
        parameter.copy_(torch.from_numpy(np.asarray(values)))

    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            drawn = kernel(random, tuple(m.weight.shape), m.weight[0].numel())
            if norms and m.weight.dim() == 4:
                drawn *= channel_scale(random, len(drawn)).reshape(-1, 1, 1, 1)
            draw(m.weight, drawn)
            if m.bias is not None:
                draw(m.bias, bias(random, tuple(m.bias.shape)))
        elif isinstance(m, nn.BatchNorm2d):
            draw(m.weight, gamma(random, tuple(m.weight.shape)))
            draw(m.bias, beta(random, tuple(m.bias.shape)))
            m.momentum = 1.0  # one batch sets the statistics
            m.train()
    if norms:
        model(as_batch(images))
    for m in norms:
        draw(m.running_var, settled(m.running_var.numpy()))
        m.momentum = 0.1
        m.eval()


@functools.lru_cache(maxsize=1)
def random_network(name):
    """The model, a batch (n,h,w,3), and its features and logits there."""
    random = random_of(name)
    images = normal(random, (2, *SIZES[name], 3), 1)
    model = build(name)
    kept = []
    with torch.no_grad():
        randomise(model, random, images)
        watch = top_of(model)[1].register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
        logits = model(as_batch(images))
        watch.remove()
    return model, images, {"features": kept[0].numpy(), "logits": logits.numpy()}


def write_flat(model, path, separator, top=True):
    """A state dict in HDF5, as three lines of h5py write it."""
    with h5py.File(path, "w") as f:
        for name, value in model.state_dict().items():
            if top or not name.startswith(top_of(model)[0] + "."):
                f[name.replace(".", separator)] = value.numpy()


def read_flat(model, path):
    """Gives a model the tensors of a flat file, all of them."""
    with h5py.File(path) as f:
        tensors = {name: torch.from_numpy(f[name][()]) for name in f}
    # A file has no num_batches_tracked: it counts batches where a momentum is missing, and here none is.
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"missing {missing}, unexpected {unexpected}")
