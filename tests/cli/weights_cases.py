"""Weight files that cannot be used: named with the tensors that are wrong, before anything is written."""
import os
import shutil

import h5py
import numpy as np

import pictures
from place import same_tensors, strict_json, tensors
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


def state_dict(path, tensors):
    """A script's file: a dataset for each key, f32."""
    with h5py.File(path, "w") as f:
        for name, value in tensors.items():
            f[name] = np.asarray(value, np.float32)
    return path


def resnet(place, depths, bottleneck, seed=1):
    """The tensors of a torchvision ResNet under its keys."""
    random, made, inputs = np.random.default_rng(seed), {}, 64

    def conv_bn(conv, norm, outputs, inputs, side):
        made[f"{conv}.weight"] = random.standard_normal((outputs, inputs, side, side), np.float32) / (side * inputs**0.5)
        made.update({f"{norm}.{part}": np.ones(outputs) for part in ("weight", "running_var")})
        made.update({f"{norm}.{part}": np.zeros(outputs) for part in ("bias", "running_mean")})

    conv_bn("conv1", "bn1", 64, 3, 7)
    for stage, depth in enumerate(depths, 1):
        width = 32 << stage
        outputs = width * (4 if bottleneck else 1)
        for block in range(depth):
            at = f"layer{stage}.{block}."
            sides = (1, 3, 1) if bottleneck else (3, 3)
            for i, side in enumerate(sides, 1):
                last = i == len(sides)
                conv_bn(f"{at}conv{i}", f"{at}bn{i}", outputs if last else width, inputs if i == 1 else width, side)
            if block == 0 and inputs != outputs:
                conv_bn(f"{at}downsample.0", f"{at}downsample.1", outputs, inputs, 1)
            inputs = outputs
    made["fc.weight"] = random.standard_normal((7, inputs), np.float32)
    made["fc.bias"] = np.zeros(7)
    return state_dict(place.path("resnet.h5"), made)


def inspected(place, path):
    return strict_json(place.run("weights", "inspect", path, "--json").stdout)


def case_inspect_a_run(place):
    path = weights(place)
    seen = inspected(place, path)
    assert seen["network"] == "resnet18_narrow" and seen["format"] == "Keras legacy HDF5"
    assert seen["dialect"]["family"] == "torchvision" and seen["preprocess"] == "unit"
    assert seen["official"] is None and len(seen["md5"]) == 32
    kernel = next(t for t in seen["tensors"] if t["canonical"] == f"{LAYER}.weight")
    assert kernel["shape"] == [3, 3, 16, 16] and kernel["type"] == "f32"
    values = tensors(path)[KERNEL]
    assert np.allclose([kernel["min"], kernel["max"], kernel["mean"], kernel["std"]],
                       [values.min(), values.max(), values.mean(), values.std()], rtol=1e-5, atol=1e-7)
    table = place.run("weights", "inspect", path).stdout
    assert f"{LAYER}.weight" in table and "resnet18_narrow" in table
    place.refuses(66, "weights", "inspect", place.path("gone.h5"), names=["gone.h5"])
    place.refuses(65, "weights", "inspect", pictures.write(place.path("text.h5"), "hello"), names=["text.h5"])


def case_verify_two_files(place):
    path = os.path.join(place.finished_run, "best.h5")
    copy = weights(place)
    assert "0 differences" in place.run("weights", "verify", path, copy).stdout

    def change(f):
        without_checksum(f)[0, 0, 0, 3] += 0.5
        del f["bn1/bn1/beta:0"]

    copy = weights(place, change)
    said = place.refuses(65, "weights", "verify", path, copy, names=["weights.h5", "best.h5"])
    assert "2 tensors" in said, said
    found = strict_json(place.run("weights", "verify", path, copy, "--json", code=65).stdout)
    by_name = {d["tensor"]: d for d in found["differences"]}
    assert set(by_name) == {f"{LAYER}.weight", "bn1.bias"}
    assert abs(by_name[f"{LAYER}.weight"]["largest"] - 0.5) < 1e-6 and "missing" in by_name["bn1.bias"]["what"]


def case_convert_and_back(place):
    """torchvision's keys into this program's own and back, without a bit changed."""
    path = resnet(place, (2, 2, 2, 2), bottleneck=False)
    out = place.path("out.h5")
    place.run("weights", "convert", path, "--to", "torchvision", "--out", out)
    before, after = tensors(path), tensors(out)
    assert before.keys() == after.keys()
    assert all(before[k].tobytes() == after[k].tobytes() and before[k].shape == after[k].shape for k in before)
    place.run("weights", "verify", path, out)
    said = place.refuses(65, "weights", "convert", path, "--to", "keras", "--out", place.path("k.h5"), names=["resnet18", "Keras"])
    assert "script" in said and not os.path.exists(place.path("k.h5"))


def case_convert_replaces_its_own_files_alone(place):
    path, out = resnet(place, (2, 2, 2, 2), bottleneck=False), place.path("out.h5")
    convert = ("weights", "convert", path, "--to", "torchvision", "--out")
    place.run(*convert, out)
    with unchanged(place.here):
        place.refuses(73, *convert, out, names=["out.h5", "--force"])
        place.refuses(73, *convert, path, "--force", names=["resnet.h5"])
        place.refuses(74, *convert, place.path("no", "folder.h5"), names=["folder.h5"])
        place.refuses(2, "weights", "convert", path, "--to", "onnx", "--out", place.path("o.h5"), names=["onnx", "keras3"])
    place.run(*convert, out, "--force")


def case_a_stride_that_no_tensor_tells(place):
    path = resnet(place, (3, 4, 6, 3), bottleneck=True)
    assert inspected(place, path)["dialect"]["stride"] is None
    features = ("features", "--model", "resnet50", "--weights", path, "--data", place.data, "--preprocess", "torch",
                "--out", place.path("f.h5"), "--device", "cpu")
    place.refuses(2, *features, names=["--dialect", "resnet.h5", "v1.5"])
    place.refuses(2, "weights", "convert", path, "--to", "torchvision", "--out", place.path("o.h5"), names=["--dialect"])
    place.run("weights", "convert", path, "--to", "torchvision", "--dialect", "torchvision", "--out", place.path("o.h5"))
    said = inspected(place, place.path("o.h5"))
    assert said["dialect"]["stride"] == "middle_3x3" and said["name"] == "resnet50 v1.5"
    place.refuses(65, "weights", "convert", path, "--to", "torchvision", "--dialect", "keras", "--out", place.path("v1.h5"),
                  names=["v1.5"])


def case_tensors_of_other_types(place):
    for kind in ("f2", "f8"):
        path = resnet(place, (2, 2, 2, 2), bottleneck=False)
        with h5py.File(path, "a") as f:
            value = f["layer1.0.conv1.weight"][()].astype(kind)
            del f["layer1.0.conv1.weight"]
            f["layer1.0.conv1.weight"] = value
        refused(place, path, "layer1.0.conv1.weight", "f32", options=("--model", "resnet18", "--preprocess", "torch"))


def case_a_file_that_only_bears_an_official_name(place):
    path = place.path("resnet50_weights_tf_dim_ordering_tf_kernels.h5")
    os.rename(weights(place, forget_preprocessing), path)
    done = place.run(*place.tuning_from(path, "--preprocess", "unit"))
    assert "warning" in done.stderr and "official" in done.stderr, done.stderr
