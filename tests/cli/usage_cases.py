"""Help, versions, and the words on the command line that are none."""
import json
import os
import re

from place import strict_json
from program import unchanged

COMMANDS = ("fine-tune", "evaluate", "predict", "features", "plan", "devices", "data")


def case_help_has_an_example_on_every_level(place):
    top = place.run("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\s", top, re.M), command
    for level in [(), *[(c,) for c in COMMANDS], ("data", "inspect"), ("data", "scan")]:
        text = place.run(*level, "--help").stdout
        assert re.search(rf"Example:\n  xferrun {' '.join(level)}", text), text[-500:]


def case_version(place):
    assert re.match(r"xferrun \d+\.\d+\.\d+ \(", place.run("--version").stdout)


def case_no_command(place):
    place.refuses(2, names=["command"])
    place.refuses(2, "nonsense", names=["nonsense"])
    place.refuses(2, "data", names=["inspect", "scan"])
    place.refuses(2, "data", "nonsense", names=["nonsense"])


def case_options_of_fine_tune(place):
    with unchanged(place.here):
        for options, names in [
            (["--nonsense"], ["--nonsense"]),
            (["--epochs", "many"], ["--epochs", "many"]),
            (["--epochs", 0], ["--epochs"]),
            (["--epochs", 1.5], ["--epochs"]),
            (["--epochs"], ["--epochs"]),
            (["--batch", 1], ["--batch"]),
            (["--lr", -1], ["--lr"]),
            (["--lr", "nan"], ["--lr"]),
            (["--seed", -1], ["--seed"]),
            (["--threads", 0], ["--threads"]),
            (["--model", "lenet"], ["lenet", "inception_v3", "resnet50"]),
            (["--optimizer", "lion"], ["--optimizer", "lion", "adamw"]),
            (["--schedule", "sawtooth"], ["--schedule", "sawtooth", "cosine"]),
            (["--precision", "f8"], ["--precision", "f8", "bf16"]),
            (["--device", "tpu"], ["--device", "tpu", "cpu"]),
            (["--device", "cuda:x"], ["--device", "cuda:x"]),
            (["--preprocess", "none"], ["--preprocess", "none", "caffe"]),
            (["--dialect", "pickle"], ["--dialect", "pickle", "keras"]),
            (["--dialect", "keras"], ["resnet18_narrow", "keras"]),
            (["--augment", "spin"], ["--augment", "spin", "time-shift"]),
            (["--augment", "gain=x"], ["--augment", "gain=x"]),
            (["--on-bad-image", "cry"], ["--on-bad-image", "cry", "skip"]),
            (["--freeze", "Conv9*"], ["--freeze", "Conv9*"]),
            (["--freeze", "*"], ["--freeze"]),
            (["--leave-glitches-out", 1], ["--leave-glitches-out"]),
            (["--val-fraction", 0.6, "--test-fraction", 0.6], ["--val-fraction", "--test-fraction"]),
            (["--val-fraction", 2], ["--val-fraction"]),
            (["--split-file", "s.csv", "--leave-glitches-out", 3], ["--split-file", "--leave-glitches-out"]),
        ]:
            place.refuses(2, *place.tuning(*options), names=names)


def case_what_is_required(place):
    for arguments, names in [
        (["fine-tune"], ["--model"]),
        (["fine-tune", "--model", "resnet18_narrow", "--from-scratch", "--data", place.data], ["--out"]),
        (["evaluate", place.finished_run], ["--data"]),
        (["predict", place.finished_run], ["images"]),
        (["features", place.finished_run, "--data", place.data], ["--out"]),
        (["features", "--data", place.data, "--out", "f.h5"], ["--weights"]),
        (["features", "--weights", "w.h5", "--data", place.data, "--out", "f.h5"], ["--model"]),
        (["features", place.finished_run, "--model", "resnet50", "--data", place.data, "--out", "f.h5"], ["--model"]),
        (["features", place.finished_run, "--out", "f.h5"], ["--data", "--tensor"]),
        (["plan"], ["--model"]),
        (["data", "scan"], ["data"]),
    ]:
        with unchanged(place.here):
            place.refuses(2, *arguments, names=names)


def case_a_device_that_is_not_there(place):
    if any(d["device"].startswith("cuda") for d in strict_json(place.run("devices", "--json").stdout)["devices"]):
        place.refuses(69, *place.tuning("--device", "cuda:99"), names=["cuda:99"])
        return
    for device in ("cuda", "cuda:1"):
        place.refuses(69, *place.tuning("--device", device), names=[f"--device {device}", "--device cpu"])
    assert not os.path.exists(place.path("out"))


def case_a_precision_that_the_device_lacks(place):
    for precision in ("f16", "tf32"):
        done = place.run("plan", "--model", "resnet18_narrow", "--batch", 2, "--device", "cpu", "--precision", precision)
        assert re.search(rf"warning: --precision {precision}: .*f32", done.stderr), done.stderr
        assert ", f32, cpu" in done.stdout, done.stdout


def case_devices(place):
    found = strict_json(place.run("devices", "--json").stdout)
    assert found["devices"][0]["device"] == "cpu" and found["devices"][0]["usable_cores"] >= 1, found
    assert {"compiled", "running"} <= set(found["libraries"]["oneDNN"]), found
    assert "cpu" in place.run("devices").stdout


def case_plan(place):
    plan = ["plan", "--model", "resnet18_narrow", "--batch", 4]
    small = strict_json(place.run(*plan, "--json").stdout)
    large = strict_json(place.run("plan", "--model", "resnet18_narrow", "--batch", 8, "--json").stdout)
    for key in ("peak_bytes", "parameter_bytes", "activation_bytes"):
        assert isinstance(small[key], int) and small[key] > 0, small
    assert large["parameter_bytes"] == small["parameter_bytes"]
    assert 1.5 < large["activation_bytes"] / small["activation_bytes"] < 2.5, (small, large)
    steps = json.loads(place.run(*plan, "--json", "--explain").stdout)["steps"]
    assert any("conv" in s["operation"].lower() for s in steps)
    assert all(s["implementation"] and "ref" != s["implementation"] for s in steps)
    assert "layer4" in place.run(*plan, "--explain").stdout


def case_a_batch_that_does_not_fit(place):
    """Said before anything runs, with the bytes that are needed."""
    message = place.refuses(71, *place.tuning("--model", "resnet50", "--batch", 65536), names=["--batch"])
    assert re.search(r"\d+(\.\d+)? GiB", message), message
    assert not os.path.exists(place.path("out"))
