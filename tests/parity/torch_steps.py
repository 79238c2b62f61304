"""Training steps of PyTorch beside the program's."""
import functools

import torch
from torch import nn

from common import ADAM_EPSILON, BATCHES, RATES, STEPS
from common import compare_training, preprocessed, random_of, rate_of, run_tool, take_steps, training_batch
from torch_networks import as_batch, build, dialect, randomise, read_flat, write_flat


def train(model, images, labels, optimizer, rate):
    """Losses before each of the steps."""
    model.train()
    for m in model.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
    if optimizer == "sgd":
        rule = torch.optim.SGD(model.parameters(), rate, momentum=0.9)
    else:
        rule = torch.optim.Adam(model.parameters(), rate, eps=ADAM_EPSILON)
    losses = []
    for _ in range(STEPS):
        rule.zero_grad()
        loss = nn.functional.cross_entropy(model(as_batch(images)), torch.from_numpy(labels))
        loss.backward()
        rule.step()
        losses.append(loss.item())
    return losses


def weights_of(model):
    names = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    return [model.state_dict()[name].numpy().copy() for name in names]


def training(name, optimizer, folder):
    images, labels = training_batch(name)
    inputs = preprocessed(images, "unit")
    model = build(name, **({"aux_logits": False} if name == "inception_v3" else {}))
    with torch.no_grad():
        randomise(model, random_of(f"training {name}"), inputs)
    write_flat(model, folder / "start.h5", ".")
    before = weights_of(model)
    stepped = take_steps(folder, name, dialect(name), folder / "start.h5", images, labels, optimizer)
    their_losses = train(model, inputs, labels, optimizer, rate_of(name, optimizer))
    theirs = weights_of(model)

    def read(path):
        flat = folder / f"flat-{path.name}"
        run_tool("xferrun", "weights", "convert", path, "--to", "torchvision", "--out", flat)
        read_flat(model, flat)
        return weights_of(model)

    return compare_training(stepped, read, theirs, before, their_losses)


def training_cases():
    for name in BATCHES:
        for optimizer in RATES:
            yield f"train/{name}/torch-{optimizer}", functools.partial(training, name, optimizer)
