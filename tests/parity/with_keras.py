"""Compares the program with Keras 3 and tf-keras.

usage: with_keras.py BINARY RESULTS [PATTERN...]
"""
import functools

import keras_files
from common import compare_reading, difference, fine_tuned, largest, main, preprocessed, run_tool
from keras_networks import PREPROCESSING, SIZES, build, keras, random_network
from keras_steps import training_cases

FORMATS = {"legacy": keras_files.legacy, "full": keras_files.full, "weights": keras_files.weights}
BEST_SIZES = {"inception_v3": (299, 299), "merged_view": (280, 340)}  # 224x224 else


def reading(name, library, write, top, folder):
    model, images, expected = random_network(library, name, top)
    path = folder / ("x.weights.h5" if write is keras_files.weights else "x.h5")
    write(library, model, path)
    return largest(compare_reading(folder, name.split("_v0")[0], "keras", path, images, expected))


def reading_cases():
    for name in SIZES:
        for library in ["keras3", "tf-keras"]:
            formats = dict(FORMATS)
            if name in keras_files.KERAS1_PARTS and library == "keras3":
                formats["keras1"] = keras_files.keras1(name)
            for top in [True, False] if name != "merged_view" else [True]:
                for format_name, write in formats.items():
                    case = f"read/{name}/{library}-{format_name}" + ("" if top else "-notop")
                    yield case, functools.partial(reading, name, library, write, top)


def best(name, folder):
    """Keras loads a run's best.h5, as it is and in its newer layout, and gives the same logits."""
    height, width = BEST_SIZES.get(name, (224, 224))
    channels = 1 if name == "merged_view" else 3
    origin = ["--from-scratch"]
    if name == "resnet50_v0.2":  # which only a file of its kind leads to
        origin = ["--weights", folder / "start.h5", "--preprocess", PREPROCESSING[name]]
        keras_files.legacy("keras3", random_network("keras3", name, False)[0], folder / "start.h5")
    run, images, ours = fine_tuned(folder, name.split("_v0")[0], "keras", height, width, channels, origin)
    files = [run / "best.h5"]
    if name != "resnet50_v0.2":  # its epsilon is not that of Keras 3's network: the conversion is refused
        files.append(folder / "best.weights.h5")
        run_tool("xferrun", "weights", "convert", files[0], "--to", "keras3", "--out", files[1])
    found = {}
    for file in files:
        model = build(keras, name, (height, width), classes=3)
        model.load_weights(file)
        theirs = model.predict(preprocessed(images, PREPROCESSING[name]), verbose=0)
        found[file.name] = difference(ours.reshape(theirs.shape), theirs)
    return largest(found)


def best_cases():
    for name in PREPROCESSING:
        yield f"best/{name}/keras", functools.partial(best, name)


main([*reading_cases(), *training_cases(), *best_cases()])
