"""The HDF5 files that Keras wrote and writes."""
import h5py
from keras.src.legacy.saving import legacy_h5_format


def legacy(library, model, path):
    """Weights alone in the legacy layout. Keras 3 still writes it within a whole model; its save_weights() does not."""
    if library == "tf-keras":
        model.save_weights(path)
        return
    with h5py.File(path, "w") as f:
        legacy_h5_format.save_weights_to_hdf5_group(f, model)


def full(library, model, path):
    """The whole model, with the optimizer's state: weights below model_weights/."""
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(path)


def weights(library, model, path):
    """Keras 3's own layout; tf-keras writes it too, under the same suffix."""
    model.save_weights(path)


KERAS1_PARTS = {
    "resnet50_v0.2": {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"},
    "vgg16": {"kernel": "W_1", "bias": "b_1"},
    "vgg19": {"kernel": "W_1", "bias": "b_1"},
}


def keras1(name):
    """The legacy layout with the weight names of the official files of Keras 1: block1_conv1_W_1:0,
    bn2a_branch2a_running_std:0."""

    def write(library, model, path):
        legacy(library, model, path)
        with h5py.File(path, "r+") as f:
            for layer, group in f.items():
                if "weight_names" not in group.attrs:
                    continue
                names = []
                for old in group.attrs["weight_names"]:
                    old = old.decode() if isinstance(old, bytes) else old
                    part = old.split("/")[-1].split(":")[0]
                    names.append(f"{layer}_{KERAS1_PARTS[name].get(part, part)}:0")
                    group.move(old, names[-1])
                group.attrs["weight_names"] = [n.encode() for n in names]

    return write
