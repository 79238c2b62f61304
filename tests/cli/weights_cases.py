"""Weight files that cannot be used: named with the tensors that are wrong, before anything is written."""
import os
import shutil

import h5py
import numpy as np

import pictures
from place import same_tensors, tensors
from program import unchanged

LAYER = "layer1.0.conv1"
KERNEL = f"{LAYER}/{LAYER}/kernel:0"


def weights(place, change=None):
    """A copy of the shared run's weights, changed."""
    path = shutil.copy(os.path.join(place.finished_run, "best.h5"), place.path("weights.h5"))
    if change:
        with h5py.File(path, "a") as f:
            change(f)
    return path


def refused(place, path, *names, code=65, options=()):
    with unchanged(place.here):
        return place.refuses(code, *place.tuning_from(path, *options), names=[os.path.basename(path), *names])


def set_weight_names(group, names):
    del group.attrs["weight_names"]
    group.attrs["weight_names"] = np.array([n.encode() for n in names])


def without_checksum(f, name=KERNEL):
    del f[name].attrs["md5"]
    return f[name]


def case_truncated_file(place):
    path = weights(place)
    whole = open(path, "rb").read()
    for share in (0.98, 0.5, 0.01):
        pictures.write(path, whole[: int(len(whole) * share)])
        refused(place, path)


def case_no_hdf5_file(place):
    refused(place, pictures.write(place.path("weights.h5"), "hello"))
    refused(place, pictures.write(place.path("weights.h5"), b""))
    refused(place, pictures.write(place.path("weights.h5"), "version https://git-lfs.github.com/spec/v1"))


def case_weights_that_are_not_there(place):
    refused(place, place.path("gone.h5"), code=66)
    refused(place, place.here, code=66)


def case_hdf5_without_weights(place):
    with h5py.File(place.path("other.h5"), "w") as f:
        f["x"] = np.zeros(3)
    refused(place, place.path("other.h5"))


def case_another_network(place):
    message = place.refuses(65, *place.tuning_from(weights(place), "--model", "inception_v3"),
                            names=["weights.h5", "inception_v3", "resnet18_narrow"])
    assert "missing" not in message, message
    assert not os.path.exists(place.path("out"))


def case_another_network_of_unknown_preprocessing(place):
    """Which network it is comes before the question how its input was normalised."""
    def foreign(f):
        for name in set(f.attrs) - {"layer_names", "backend", "keras_version"}:
            del f.attrs[name]

    refused(place, weights(place, foreign), "resnet18", "inception_v3", options=("--model", "inception_v3"))


def case_weights_with_nan(place):
    def change(f):
        without_checksum(f)[0, 0, 0, 3] = np.nan
        without_checksum(f, "bn1/bn1/gamma:0")[1] = np.inf

    refused(place, weights(place, change), LAYER, "bn1", "finite")


def case_weights_that_differ_from_their_checksum(place):
    def change(f):
        f[KERNEL][0, 0, 0, 3] += 1

    refused(place, weights(place, change), LAYER, "checksum")


def case_missing_tensors_are_named_together(place):
    def change(f):
        del f[KERNEL]
        del f["bn1/bn1/beta:0"]

    refused(place, weights(place, change), LAYER, "bn1", "missing")


def case_left_over_and_misshaped_tensors(place):
    def change(f):
        group = f[LAYER]
        group["extra:0"] = np.zeros(3, np.float32)
        set_weight_names(group, [f"{LAYER}/kernel:0", "extra:0"])
        del f["bn1/bn1/beta:0"]
        f["bn1/bn1/beta:0"] = np.zeros(7, np.float32)

    refused(place, weights(place, change), "extra:0", "left over", "bn1", "7")


def case_bad_weights_leave_an_earlier_run_alone(place):
    """--force gives up the earlier run only when the new one can begin."""
    shutil.copytree(place.finished_run, place.path("out"))
    path = weights(place, lambda f: f.__delitem__(KERNEL))
    refused(place, path, LAYER, options=("--force",))


def case_weights_and_from_scratch(place):
    with unchanged(place.here):
        place.refuses(2, *place.tuning("--weights", place.path("w.h5")), names=["--weights", "--from-scratch"])
        arguments = [a for a in place.tuning() if a != "--from-scratch"]
        place.refuses(2, *arguments, names=["--weights", "--from-scratch"])


def forget_preprocessing(f):
    for name in ("xferrun_version", "dialect", "preprocess", "network", "classes", "model_id"):
        del f.attrs[name]


def case_preprocessing_must_be_said(place):
    path = weights(place, forget_preprocessing)
    place.refuses(2, *place.tuning_from(path), names=["--preprocess", "weights.h5", "tf", "caffe", "torch", "unit"])
    place.run(*place.tuning_from(path, "--preprocess", "unit"))


def case_preprocessing_that_contradicts_the_file(place):
    done = place.run(*place.tuning_from(weights(place), "--preprocess", "tf"))
    assert "warning" in done.stderr and "unit" in done.stderr, done.stderr


def case_weights_without_top(place):
    def change(f):
        del f["fc"]
        names = [n for n in f.attrs["layer_names"] if n != b"fc"]
        del f.attrs["layer_names"]
        f.attrs["layer_names"] = np.array(names)

    path = weights(place, change)
    place.run(*place.tuning_from(path, "--lr", 1e-20))
    place.run("features", "--model", "resnet18_narrow", "--weights", path, "--data", place.data, "--out", place.path("f.h5"))
    # No run folder can be made of it.
    shutil.copytree(place.finished_run, place.path("run"))
    shutil.copy(path, place.path("run", "best.h5"))
    place.refuses(65, "evaluate", place.path("run"), "--data", place.data, names=["best.h5", "fc"])


def case_start_from_another_run(place):
    """Everything but the last layer comes from the file."""
    data = pictures.folder(place.path("data"), per_class=6, labels=("p", "q"))
    path = os.path.join(place.finished_run, "best.h5")
    place.run(*place.tuning_from(path, "--freeze", "conv1.*", "bn1.*", "layer*", data=data))
    old, new = tensors(path), tensors(place.path("out", "best.h5"))
    for name in old:
        if not name.startswith("fc"):
            assert old[name].tobytes() == new[name].tobytes(), name
    assert new["fc/fc/kernel:0"].shape[1] == 2


def case_run_folder_without_its_files(place):
    run = place.own_run()
    os.remove(os.path.join(run, "split.csv"))
    place.refuses(66, "evaluate", run, "--data", place.data, names=["split.csv"])
    pictures.write(os.path.join(run, "config.json"), "{")
    place.refuses(65, "evaluate", run, "--data", place.data, names=["config.json"])
    os.remove(os.path.join(run, "best.h5"))
    image = os.path.join(place.data, "blob", "g00.png")
    place.refuses(66, "predict", run, image, names=["best.h5"])
    place.refuses(66, "predict", place.path("gone"), image, names=["gone"])


def case_a_reader_is_reproducible(place):
    """The same weights, written twice, are the same bytes."""
    place.tune(out="a")
    place.tune(out="b")
    assert not same_tensors(place.path("a", "best.h5"), place.path("b", "best.h5"))
    assert open(place.path("a", "best.h5"), "rb").read() == open(place.path("b", "best.h5"), "rb").read()
