"""Writes tests/models/goldens.h5: what torchvision, Keras and Cadene's BN-Inception give for weights and images
that a formula makes, so that the outputs are all that has to be kept. tests/models/goldens_test.cpp makes the same
weights and compares.

usage: KERAS_BACKEND=torch python make.py OUT.h5      (needs torch, torchvision, keras 3, h5py)
"""
import sys

import h5py
import keras
import numpy as np
import torch
import torchvision

CLASSES = 7


# --- the formula, as in tests/models/formula.h ---------------------------------------------------------------


def noise(name, count):
    """Numbers from -1 to 1 (f32, exact), a hash of the tensor's canonical name and each element's index."""
    seed = np.uint32(2166136261)
    with np.errstate(over="ignore"):
        for letter in name.encode():
            seed = (seed ^ np.uint32(letter)) * np.uint32(16777619)
        h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + seed
        h ^= h >> np.uint32(15)
        h *= np.uint32(0x85EBCA77)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE3D)
        h ^= h >> np.uint32(16)
    return (h >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1)


def tensor(name, shape, is_norm):
    """The tensor of a canonical name and shape: kernels (outputs, rows, columns, inputs), or a vector."""
    u = noise(name, int(np.prod(shape))).reshape(shape)
    part = name.rsplit(".", 1)[1]
    f32 = np.float32
    if part == "running_mean":
        return u * f32(0.25)
    if part == "running_var":
        return u * f32(0.5) + f32(1)
    if part == "bias":
        return u * f32(0.125)
    if is_norm:  # smaller in residual networks, whose blocks add up
        return (u * f32(0.25) + f32(1)) * f32(0.5 if name.startswith("layer") else 1)
    return u * f32(np.sqrt(6 / np.prod(shape[1:])))  # He et al. 2015, uniform


def image(height, width, channels):
    return noise("image", height * width * channels).reshape(1, height, width, channels)


# --- torch ---------------------------------------------------------------------------------------------------


def fill_torch(module, flattened=None):
    """`flattened`: rows, columns and channels of the map that the first dense layer reads, flattened by torch as
    channels, rows, columns."""
    norms = {n for n, m in module.named_modules() if isinstance(m, torch.nn.BatchNorm2d)}
    state = module.state_dict()
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        shape, is_norm = tuple(value.shape), name.rsplit(".", 1)[0] in norms
        if len(shape) == 4:
            made = tensor(name, (shape[0], shape[2], shape[3], shape[1]), is_norm).transpose(0, 3, 1, 2)
        elif len(shape) == 2 and flattened and shape[1] == np.prod(flattened):
            made = tensor(name, (shape[0], *flattened), is_norm).transpose(0, 3, 1, 2).reshape(shape)
        else:
            made = tensor(name, shape, is_norm)
        value.copy_(torch.from_numpy(np.ascontiguousarray(made)))
    module.load_state_dict(state)
    return module.eval()


def run_torch(module, x, kept):
    """The logits, and the outputs of the modules in `kept` under its names."""
    results = {}
    for name, (inner, function) in kept.items():
        inner.register_forward_hook(lambda _m, _i, out, n=name, f=function: results.update({n: f(out)}))
    with torch.no_grad():
        results["logits"] = module(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    return {name: value.reshape(-1).numpy() for name, value in results.items()}


def mean(map_):
    return map_.mean((2, 3))


def torchvision_resnet(name, x):
    net = fill_torch(getattr(torchvision.models, name)(num_classes=CLASSES))
    return run_torch(net, x, {"features": (net.avgpool, lambda v: v)})


def torchvision_vgg(name, x):
    net = getattr(torchvision.models, name)(num_classes=CLASSES)
    # Its pool is the identity at 224x224; so it is here, with a first dense layer for the smaller map.
    net.avgpool = torch.nn.Identity()
    rows, columns = x.shape[1] // 32, x.shape[2] // 32
    net.classifier[0] = torch.nn.Linear(rows * columns * 512, 4096)
    fill_torch(net, (rows, columns, 512))
    return run_torch(net, x, {"features": (net.classifier[4], lambda v: v.clone()), "pool": (net.features, mean)})


def torchvision_inception_v3(_name, x):
    net = torchvision.models.inception_v3(num_classes=CLASSES, aux_logits=False, init_weights=False)
    fill_torch(net)
    return run_torch(net, x, {"features": (net.avgpool, lambda v: v)})


class BnInception(torch.nn.Module):
    """Cadene's port of Caffe's BN-Inception: pretrained-models.pytorch, bninception.py."""

    # 1x1; 3x3 reduced, 3x3; double 3x3 reduced, double 3x3; pool and its projection.
    BLOCKS = {
        "3a": (64, 64, 64, 64, 96, "average", 32),
        "3b": (64, 64, 96, 64, 96, "average", 64),
        "3c": (0, 128, 160, 64, 96, "max", 0),
        "4a": (224, 64, 96, 96, 128, "average", 128),
        "4b": (192, 96, 128, 96, 128, "average", 128),
        "4c": (160, 128, 160, 128, 160, "average", 128),
        "4d": (96, 128, 192, 160, 192, "average", 128),
        "4e": (0, 128, 192, 192, 256, "max", 0),
        "5a": (352, 192, 320, 160, 224, "average", 128),
        "5b": (352, 192, 320, 192, 224, "max", 128),
    }

    def __init__(self):
        super().__init__()
        self.convolution("conv1_7x7_s2", 3, 64, 7, 2, 3)
        self.convolution("conv2_3x3_reduce", 64, 64, 1)
        self.convolution("conv2_3x3", 64, 192, 3, 1, 1)
        channels = 192
        for block, (one, reduce, three, reduce_double, twice, _pool, projection) in self.BLOCKS.items():
            name, stride = "inception_" + block, 1 if one else 2
            if one:
                self.convolution(name + "_1x1", channels, one, 1)
            self.convolution(name + "_3x3_reduce", channels, reduce, 1)
            self.convolution(name + "_3x3", reduce, three, 3, stride, 1)
            self.convolution(name + "_double_3x3_reduce", channels, reduce_double, 1)
            self.convolution(name + "_double_3x3_1", reduce_double, twice, 3, 1, 1)
            self.convolution(name + "_double_3x3_2", twice, twice, 3, stride, 1)
            if one:
                self.convolution(name + "_pool_proj", channels, projection, 1)
            channels = one + three + twice + (projection if one else channels)
        self.global_pool = torch.nn.AdaptiveAvgPool2d(1)
        self.last_linear = torch.nn.Linear(channels, CLASSES)

    def convolution(self, name, inputs, outputs, kernel, stride=1, padding=0):
        self.add_module(name, torch.nn.Conv2d(inputs, outputs, kernel, stride, padding))
        self.add_module(name + "_bn", torch.nn.BatchNorm2d(outputs, eps=1e-5))

    def unit(self, name, x):
        return torch.relu(getattr(self, name + "_bn")(getattr(self, name)(x)))

    def block(self, block, x):
        name, one, pool = "inception_" + block, self.BLOCKS[block][0], self.BLOCKS[block][5]
        branches = [self.unit(name + "_1x1", x)] if one else []
        branches.append(self.unit(name + "_3x3", self.unit(name + "_3x3_reduce", x)))
        double = self.unit(name + "_double_3x3_1", self.unit(name + "_double_3x3_reduce", x))
        branches.append(self.unit(name + "_double_3x3_2", double))
        if pool == "average":
            pooled = torch.nn.functional.avg_pool2d(x, 3, 1, 1, ceil_mode=True, count_include_pad=True)
        elif one:
            pooled = torch.nn.functional.max_pool2d(x, 3, 1, 1, ceil_mode=True)
        else:
            pooled = torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
        branches.append(self.unit(name + "_pool_proj", pooled) if one else pooled)
        return torch.cat(branches, 1)

    def forward(self, x):
        x = torch.nn.functional.max_pool2d(self.unit("conv1_7x7_s2", x), 3, 2, ceil_mode=True)
        x = self.unit("conv2_3x3", self.unit("conv2_3x3_reduce", x))
        x = torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
        for block in self.BLOCKS:
            x = self.block(block, x)
        return self.last_linear(self.global_pool(x).flatten(1))


def caffe_inception_v2(_name, x):
    net = fill_torch(BnInception())
    return run_torch(net, x, {"features": (net.global_pool, lambda v: v)})


# --- Keras ---------------------------------------------------------------------------------------------------

KERAS_PARTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def fill_keras(model, canonical, flattened=None):
    """`canonical`: layer of the model → canonical name. `flattened`: as above, but in Keras's order."""
    for layer in model.layers:
        if not layer.weights:
            continue
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        for variable in layer.weights:
            name, shape = canonical(layer) + "." + KERAS_PARTS[variable.name], tuple(variable.shape)
            if len(shape) == 4:  # rows, columns, inputs, outputs
                made = tensor(name, (shape[3], *shape[:3]), is_norm).transpose(1, 2, 3, 0)
            elif len(shape) == 2:
                inputs = flattened if flattened and shape[0] == np.prod(flattened) else (shape[0],)
                made = tensor(name, (shape[1], *inputs), is_norm).reshape(shape[1], shape[0]).T
            else:
                made = tensor(name, shape, is_norm)
            variable.assign(np.ascontiguousarray(made))


def run_keras(model, x, kept):
    values = {name: model.get_layer(layer).output for name, layer in kept.items()}
    outputs = keras.Model(model.inputs[0], [*values.values(), model.outputs[0]])(x, training=False)
    arrays = [keras.ops.convert_to_numpy(o) for o in outputs]
    return {name: a.reshape(-1) for name, a in zip([*values, "logits"], arrays)}


def keras_application(builder, x):
    return builder(weights=None, classes=CLASSES, input_shape=x.shape[1:], classifier_activation=None)


def keras_resnet(name, x):
    model = keras_application({"resnet50": keras.applications.ResNet50, "resnet101": keras.applications.ResNet101,
                               "resnet152": keras.applications.ResNet152}[name], x)
    inner = {"1_conv": "conv1", "1_bn": "bn1", "2_conv": "conv2", "2_bn": "bn2", "3_conv": "conv3", "3_bn": "bn3",
             "0_conv": "downsample.0", "0_bn": "downsample.1"}

    def canonical(layer):
        if layer.name in ("conv1_conv", "conv1_bn", "predictions"):
            return {"conv1_conv": "conv1", "conv1_bn": "bn1", "predictions": "fc"}[layer.name]
        stage, block, part = layer.name.split("_", 2)  # conv2_block1_1_conv
        return f"layer{int(stage[4:]) - 1}.{int(block[5:]) - 1}.{inner[part]}"

    fill_keras(model, canonical)
    return run_keras(model, x, {"features": "avg_pool"})


def keras_vgg(name, x):
    model = keras_application({"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[name], x)
    depths = [2, 2, 3, 3, 3] if name == "vgg16" else [2, 2, 4, 4, 4]

    def canonical(layer):
        top = {"fc1": "classifier.0", "fc2": "classifier.3", "predictions": "classifier.6"}
        if layer.name in top:
            return top[layer.name]
        block, conv = int(layer.name[5]), int(layer.name[-1])  # block1_conv2
        return f"features.{sum(2 * d + 1 for d in depths[:block - 1]) + 2 * (conv - 1)}"

    fill_keras(model, canonical, (x.shape[1] // 32, x.shape[2] // 32, 512))
    results = run_keras(model, x, {"features": "fc2", "pool": "block5_pool"})
    results["pool"] = results["pool"].reshape(-1, 512).mean(0)
    return results


def inception_v3_units():
    """torchvision's names of InceptionV3's convolutions, in the order in which Keras's code makes its own."""
    a = ["branch1x1", "branch5x5_1", "branch5x5_2", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3",
         "branch_pool"]
    b = ["branch3x3", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]
    c = ["branch1x1", "branch7x7_1", "branch7x7_2", "branch7x7_3", *(f"branch7x7dbl_{i}" for i in range(1, 6)),
         "branch_pool"]
    d = ["branch3x3_1", "branch3x3_2", *(f"branch7x7x3_{i}" for i in range(1, 5))]
    e = ["branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_1", "branch3x3dbl_2",
         "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"]
    blocks = {"5b": a, "5c": a, "5d": a, "6a": b, "6b": c, "6c": c, "6d": c, "6e": c, "7a": d, "7b": e, "7c": e}
    stem = [f"Conv2d_{n}" for n in ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")]
    return stem + [f"Mixed_{block}.{unit}" for block, units in blocks.items() for unit in units]


def keras_inception_v3(_name, x):
    keras.backend.clear_session()  # the numbers in its layers' names begin anew
    model = keras_application(keras.applications.InceptionV3, x)
    units = inception_v3_units()

    def canonical(layer):
        if layer.name == "predictions":
            return "fc"
        kind = "bn" if isinstance(layer, keras.layers.BatchNormalization) else "conv"
        number = layer.name.removeprefix("batch_normalization" if kind == "bn" else "conv2d")
        return f"{units[int(number[1:] or 0)]}.{kind}"

    fill_keras(model, canonical)
    return run_keras(model, x, {"features": "avg_pool"})


def keras_merged_view(_name, x):
    layers = [keras.layers.Input(x.shape[1:])]
    for number, channels in enumerate((16, 32, 64, 64), 1):
        layers += [keras.layers.Conv2D(channels, 5, padding="valid", name=f"conv{number}"),
                   keras.layers.Activation("relu"), keras.layers.MaxPooling2D(2), keras.layers.Dropout(0.5)]
    layers += [keras.layers.Flatten(), keras.layers.Dense(256, activation="relu", name="fc1"),
               keras.layers.Dropout(0.5), keras.layers.Dense(CLASSES, name="fc2")]
    model = keras.Sequential(layers)
    rows, columns = model.layers[-5].output.shape[1:3]
    fill_keras(model, lambda layer: layer.name, (rows, columns, 64))
    return run_keras(model, x, {"features": "fc1"})


# --- all of them ---------------------------------------------------------------------------------------------

# Rows, columns and channels: small, not square, and odd where a network takes it.
RESNET, VGG, INCEPTION_V3 = (75, 107, 3), (64, 96, 3), (139, 107, 3)
GOLDENS = [
    ("caffe", "inception_v2", (96, 128, 3), caffe_inception_v2),
    ("keras", "inception_v3", INCEPTION_V3, keras_inception_v3),
    ("torchvision", "inception_v3", INCEPTION_V3, torchvision_inception_v3),
    *(("keras", f"resnet{n}", RESNET, keras_resnet) for n in (50, 101, 152)),
    *(("torchvision", f"resnet{n}", RESNET, torchvision_resnet) for n in (18, 34, 50, 101, 152)),
    *(("keras", f"vgg{n}", VGG, keras_vgg) for n in (16, 19)),
    *(("torchvision", f"vgg{n}", VGG, torchvision_vgg) for n in (11, 13, 16, 19)),
    *(("torchvision", f"vgg{n}_bn", VGG, torchvision_vgg) for n in (11, 13, 16, 19)),
    ("keras", "merged_view", (140, 170, 1), keras_merged_view),
]


def main():
    with h5py.File(sys.argv[1], "w") as file:
        file.attrs["made_with"] = (f"torch {torch.__version__}, torchvision {torchvision.__version__}, "
                                   f"keras {keras.__version__} on {keras.backend.backend()}")
        for family, name, size, compute in GOLDENS:
            group = file.create_group(f"{family}/{name}")
            group.attrs["input"] = size
            for result, values in compute(name, image(*size)).items():
                group[result] = values.astype(np.float32)
                print(family, name, result, values.shape, "largest", abs(values).max(), flush=True)


main()
