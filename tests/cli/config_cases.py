"""--config: any option from a JSON file; the command line wins."""
import json

import pictures
from place import metrics
from program import unchanged


def config(place, content):
    return pictures.write(place.path("c.json"), content if isinstance(content, str) else json.dumps(content))


def options_of(run):
    with open(f"{run}/config.json") as f:
        return json.load(f)["options"]


def case_file_gives_what_the_command_line_does_not(place):
    file = config(place, {"epochs": 2, "lr": 0.005, "nesterov": True, "class-weights": False, "optimizer": "sgd",
                          "freeze": ["conv1.*", "bn1.*"], "batch": 4})
    arguments = place.tuning("--config", file)
    del arguments[arguments.index("--epochs"):arguments.index("--epochs") + 2]
    place.run(*arguments)
    got = options_of(place.path("out"))
    wanted = {"epochs": 2, "lr": 0.005, "nesterov": True, "class_weights": False, "freeze": ["conv1.*", "bn1.*"], "batch": 8}
    assert {k: got[k] for k in wanted} == wanted, got
    assert len(metrics(place.path("out"))) == 2


def case_every_option_can_be_in_the_file(place):
    file = config(place, {"model": "resnet18_narrow", "from-scratch": True, "preprocess": "unit", "data": place.data,
                          "out": place.path("out"), "epochs": 1, "batch": 8, "device": "cpu", "threads": 1})
    place.run("fine-tune", "--config", file)
    place.run("plan", f"--config={config(place, {'model': 'resnet18_narrow', 'json': True})}")


def case_command_line_wins(place):
    file = config(place, {"freeze": ["bn1.*"], "optimizer": "adam", "from-scratch": False})
    place.tune("--config", file, "--freeze", "conv1.*", "--optimizer=adamw")
    got = options_of(place.path("out"))
    assert got["freeze"] == ["conv1.*"] and got["optimizer"] == "adamw", got


def case_broken_files(place):
    for content, code, names in [
        ('{"epochs": 2', 65, ["c.json"]),
        ("epochs=2", 65, ["c.json"]),
        ("[1]", 65, ["c.json"]),
        ('{"epoch": 2}', 2, ["c.json", "epoch"]),
        ('{"epochs": "many"}', 2, ["--epochs", "many"]),
        ('{"epochs": {"a": 1}}', 65, ["c.json", "epochs"]),
        ('{"epochs": null}', 65, ["c.json", "epochs"]),
        ('{"nesterov": 3}', 65, ["c.json", "nesterov"]),
        ('{"config": "c.json"}', 2, ["c.json", "config"]),
        ('{"help": true}', 2, ["c.json", "help"]),
    ]:
        arguments = place.tuning("--config", config(place, content))
        del arguments[arguments.index("--epochs"):arguments.index("--epochs") + 2]
        with unchanged(place.here):
            place.refuses(code, *arguments, names=names)
    with unchanged(place.here):
        place.refuses(66, *place.tuning("--config", place.path("gone.json")), names=["gone.json"])
        place.refuses(66, *place.tuning("--config", place.here), names=[place.here])
        place.refuses(2, *place.tuning("--config"), names=["--config"])
