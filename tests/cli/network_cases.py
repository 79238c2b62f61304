"""Networks by name: their variants, heads, input sizes and maps."""
import h5py
import numpy as np

from place import strict_json

# A trunk of nine million parameters on images as small as it takes.
SMALL_VGG = ["--model", "vgg11", "--head", "pool", "--input-size", "32x64", "--preprocess", "unit"]


def case_input_size_and_head(place):
    done = place.tune(*SMALL_VGG)
    assert "vgg11 with pool head" in done.stderr and "32x64" in done.stderr, done.stderr
    with open(place.path("out", "config.json")) as f:
        config = strict_json(f.read())
    assert config["network"] == "vgg11 with pool head", config["network"]
    assert {k: config["dialect"][k] for k in ("height", "width", "channels", "head")} == {
        "height": 32, "width": 64, "channels": 3, "head": "pool"}, config["dialect"]
    place.run("evaluate", place.path("out"), "--data", place.data)
    for layer in ("features", "pool"):
        place.run("features", place.path("out"), "--data", place.data, "--layer", layer, "--out",
                  place.path(layer + ".h5"))
    with h5py.File(place.path("features.h5")) as a, h5py.File(place.path("pool.h5")) as b:
        assert a["features"].shape[1] == 512 and np.array_equal(a["features"], b["features"])


def case_wrong_sizes_and_heads(place):
    for options, names in [
        (["--input-size", "280"], ["--input-size", "280", "280x340"]),
        (["--input-size", "0x340"], ["--input-size"]),
        (["--input-size", "280x340x1"], ["--input-size"]),
        (["--input-size", "280x99999"], ["--input-size"]),
        (["--head", "dense"], ["--head", "dense", "pool"]),
        (["--head", "pool"], ["--head", "resnet18_narrow"]),
        (["--model", "merged_view", "--preprocess", "torch"], ["--preprocess", "torch", "grey"]),
    ]:
        place.refuses(2, *place.tuning(*options), names=names)


def case_variants_have_names(place):
    def first_line(*options):
        return place.run("plan", "--batch", 2, *options).stdout.splitlines()[0]

    assert "resnet50 v1.5 " in first_line("--model", "resnet50")
    assert "resnet50 v1 " in first_line("--model", "resnet50", "--dialect", "keras")
    assert "merged_view " in first_line("--model", "merged_view", "--input-size", "140x170")
    table = place.run("plan", "--batch", 2, "--model", "inception_v2", "--explain").stdout
    maps = next(line for line in table.splitlines() if line.startswith("maps that"))
    assert {"pool", "features", "inception_3a_output", "inception_5b_output"} <= set(maps.split()), maps
