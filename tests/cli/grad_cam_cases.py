"""predict --grad-cam: a picture of what each answer rests on."""
import glob
import json
import os
import struct


def images(place):
    return sorted(glob.glob(os.path.join(place.data, "*", "*.png")))[:3]


def case_pictures(place):
    lines = [json.loads(line) for line in place.run(
        "predict", place.finished_run, *images(place), "--grad-cam", "why", "--batch", 2).stdout.splitlines()]
    plain = [json.loads(line) for line in place.run("predict", place.finished_run, *images(place)).stdout.splitlines()]
    for line, other, path in zip(lines, plain, images(place), strict=True):
        stem = os.path.splitext(os.path.basename(path))[0]
        assert line.pop("grad_cam") == os.path.join("why", stem + "_grad_cam.png"), line
        assert line["label"] == other["label"] and "grad_cam" not in other
        with open(place.path("why", stem + "_grad_cam.png"), "rb") as f:
            header = f.read(24)
        assert header.startswith(b"\x89PNG") and struct.unpack(">II", header[16:]) == (224, 224), header
    assert len(os.listdir(place.path("why"))) == 3


def case_nothing_is_replaced(place):
    path = images(place)[0]
    place.run("predict", place.finished_run, path, "--grad-cam", "why")
    place.refuses(73, "predict", place.finished_run, path, "--grad-cam", "why", names=["_grad_cam.png"])
    place.refuses(2, "predict", place.finished_run, path, path, "--grad-cam", "other", names=["--grad-cam"])
    assert not os.path.exists(place.path("other"))
