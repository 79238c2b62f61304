"""The networks as Keras builds them, with random weights; of Keras 3 or of tf-keras, whose interface is the same."""
import functools
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tf_keras

from common import CLASSES, beta, bias, channel_scale, gamma, kernel, normal, random_of, settled

LIBRARIES = {"keras3": keras, "tf-keras": tf_keras}

# Extents that are no square and not even, where the top layers do not fix them.
SIZES = {
    "inception_v3": (139, 171),
    "resnet50": (97, 129),
    "resnet50_v0.2": (97, 129),
    "resnet101": (97, 129),
    "resnet152": (97, 129),
    "vgg16": (224, 224),
    "vgg19": (224, 224),
    "merged_view": (140, 170),
}
APPLICATIONS = {
    "inception_v3": "InceptionV3",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "resnet152": "ResNet152",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
}
PREPROCESSING = {
    "inception_v3": "tf",
    "resnet50": "caffe",
    "resnet50_v0.2": "caffe",
    "resnet101": "caffe",
    "resnet152": "caffe",
    "vgg16": "caffe",
    "vgg19": "caffe",
    "merged_view": "unit",
}


def merged_view(k, shape, classes):
    """The convolutional network of Zevin et al. 2017 as the Gravity Spy project defines it."""
    layers = [k.layers.Input((*shape, 1))]
    for channels in [16, 32, 64, 64]:
        layers += [k.layers.Conv2D(channels, 5, activation="relu"), k.layers.MaxPooling2D(), k.layers.Dropout(0.5)]
    layers += [k.layers.Flatten(), k.layers.Dense(256, activation="relu"), k.layers.Dropout(0.5)]
    return k.Sequential([*layers, k.layers.Dense(classes)])


def resnet50_v02(k, shape, classes):
    """ResNet50 of deep-learning-models v0.2 and keras-applications up to 1.0.7: other names, BN's epsilon at Keras's
    default of 1e-3."""
    layers = k.layers
    inputs = x = layers.Input((*shape, 3))

    def unit(x, size, name, channels, stride=1, act=True):
        x = layers.Conv2D(channels, size, stride, "same" if size == 3 else "valid", name=name[0])(x)
        x = layers.BatchNormalization(name=name[1])(x)
        return layers.Activation("relu")(x) if act else x

    def block(x, place, channels, stride, shortcut):
        def name(branch):
            return f"res{place}_branch{branch}", f"bn{place}_branch{branch}"

        y = unit(x, 1, name("2a"), channels, stride)
        y = unit(y, 3, name("2b"), channels)
        y = unit(y, 1, name("2c"), 4 * channels, act=False)
        if shortcut:
            x = unit(x, 1, name("1"), 4 * channels, stride, act=False)
        return layers.Activation("relu")(layers.add([y, x]))

    x = layers.ZeroPadding2D(3)(x)
    x = unit(x, 7, ("conv1", "bn_conv1"), 64, 2)
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for stage, count in enumerate([3, 4, 6, 3]):
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            x = block(x, f"{stage + 2}{'abcdef'[i]}", 64 << stage, stride, i == 0)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if classes:
        x = layers.Dense(classes, name="fc1000")(x)
    return k.Model(inputs, x)


def build(k, name, shape=None, classes=CLASSES):
    """The network, giving logits; without classes its trunk with a global average pool."""
    k.backend.clear_session()
    shape = shape or SIZES[name]
    if name == "merged_view":
        return merged_view(k, shape, classes)
    if name == "resnet50_v0.2":
        return resnet50_v02(k, shape, classes)
    make = getattr(k.applications, APPLICATIONS[name])
    if not classes:
        return make(weights=None, include_top=False, pooling="avg", input_shape=(*shape, 3))
    return make(weights=None, classes=classes, classifier_activation=None, input_shape=(*shape, 3))


def batch_norms(k, model):
    return [layer for layer in model.layers if isinstance(layer, k.layers.BatchNormalization)]


def randomise(k, model, random, images):
    """Random weights; the running statistics are those of the batch."""
    norms = batch_norms(k, model)
    for layer in model.layers:
        if isinstance(layer, (k.layers.Conv2D, k.layers.Dense)):
            kernels, *biases = layer.get_weights()
            drawn = kernel(random, kernels.shape, np.prod(kernels.shape[:-1]))
            if norms and kernels.ndim == 4:
                drawn *= channel_scale(random, kernels.shape[-1])
            layer.set_weights([drawn, *(bias(random, b.shape) for b in biases)])
    for layer in norms:
        layer.momentum = 0.0  # one batch sets the statistics
        *scale, zeros, mean, variance = layer.get_weights()
        layer.set_weights([*(gamma(random, g.shape) for g in scale), beta(random, zeros.shape), mean, variance])
    if norms:
        model(images, training=True)
    for layer in norms:
        *affine, mean, variance = layer.get_weights()
        layer.set_weights([*affine, mean, settled(variance)])
        layer.momentum = 0.99


@functools.lru_cache(maxsize=1)
def random_network(library, name, top):
    """The model, a batch, and its features and logits there."""
    k = LIBRARIES[library]
    random = random_of(f"{name} {top}")
    model = build(k, name, classes=CLASSES if top else 0)
    images = normal(random, (2, *model.input_shape[1:]), 1)
    randomise(k, model, random, images)
    if not top:
        return model, images, {"features": model.predict(images, verbose=0)}
    both = k.Model(model.inputs, [model.layers[-1].input, model.outputs[0]])
    features, logits = both.predict(images, verbose=0)
    return model, images, {"features": features, "logits": logits}
