"""Training steps of Keras beside the program's."""
import functools

import numpy as np
import tensorflow as tf

import keras_files
from common import ADAM_EPSILON, BATCHES, RATES, STEPS
from common import compare_training, preprocessed, random_of, rate_of, take_steps, training_batch
from keras_networks import batch_norms, build, keras, randomise

KEPT = 0.9  # of the running statistics in each step: the program's bn_momentum is 0.1, what is new


def train(model, images, labels, optimizer, rate):
    """Losses before each of the steps."""
    rule = keras.optimizers.SGD(rate, momentum=0.9) if optimizer == "sgd" else keras.optimizers.Adam(rate)
    for layer in batch_norms(keras, model):
        layer.momentum = KEPT
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = []
    for step in range(1, STEPS + 1):
        # Keras adds epsilon to the root before its bias is corrected, the program and PyTorch to the corrected root.
        rule.epsilon = ADAM_EPSILON * (1 - 0.999**step) ** 0.5
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        rule.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        losses.append(float(loss))
    return losses


def unbiased(model, batch, before, after):
    """The weights with the running variances that n/(n-1) would have given: Keras follows the batches' biased ones,
    the program (like PyTorch) the unbiased ones."""
    after = list(after)
    places = {id(v): i for i, v in enumerate(model.weights)}
    for layer in batch_norms(keras, model):
        i = places[id(layer.moving_variance)]
        n = batch * np.prod(layer.output.shape[1:3])
        old = KEPT**STEPS * before[i]
        after[i] = old + (after[i] - old) * n / (n - 1)
    return after


def training(name, optimizer, folder):
    images, labels = training_batch(name)
    inputs = preprocessed(images, "unit")
    model = build(keras, name, images.shape[1:3])
    randomise(keras, model, random_of(f"training {name}"), inputs)
    keras_files.legacy("keras3", model, folder / "start.h5")
    before = model.get_weights()
    stepped = take_steps(folder, name, "keras", folder / "start.h5", images, labels, optimizer)
    their_losses = train(model, inputs, labels, optimizer, rate_of(name, optimizer))
    theirs = unbiased(model, len(images), before, model.get_weights())

    def read(path):
        model.load_weights(path)
        return model.get_weights()

    return compare_training(stepped, read, theirs, before, their_losses)


def training_cases():
    for name in BATCHES:
        for optimizer in RATES:
            yield f"train/{name}/keras-{optimizer}", functools.partial(training, name, optimizer)
