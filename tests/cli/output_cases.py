"""Outputs: whole or not at all, and nothing of anybody else's is replaced."""
import contextlib
import glob
import json
import os
import shutil
import subprocess

import pictures
from place import all_finite
from program import Skip, unchanged


def features(place, *options, out="f.h5"):
    return ["features", place.finished_run, "--data", place.data, "--out", place.path(out), *options]


def case_run_that_exists_is_kept(place):
    run = place.own_run()
    with unchanged(run):
        place.refuses(73, *place.tuning(out="run"), names=["run", "--force"])


def case_force_replaces_a_run_and_nothing_else(place):
    run = place.own_run()
    pictures.write(os.path.join(run, "notes.txt"), "mine")
    pictures.write(os.path.join(run, "figures", "a.png"), "mine")
    old = open(os.path.join(run, "best.h5"), "rb").read()
    place.tune("--force", "--seed", 77, out="run")
    assert open(os.path.join(run, "notes.txt")).read() == "mine"
    assert open(os.path.join(run, "figures", "a.png")).read() == "mine"
    assert open(os.path.join(run, "best.h5"), "rb").read() != old
    assert len(open(os.path.join(run, "metrics.jsonl")).readlines()) == 1


def case_force_refuses_what_is_no_run(place):
    pictures.write(place.path("thesis", "best.h5"), "mine")
    pictures.write(place.path("json", "config.json"), '{"program": "another"}')
    pictures.write(place.path("number", "config.json"), '{"program": 5}')
    pictures.write(place.path("file"), "mine")
    with unchanged(place.here):
        for name in ("thesis", "json", "number", "file"):
            place.refuses(73, *place.tuning("--force", out=name), names=[name])


def case_force_keeps_what_the_training_needs(place):
    run = place.own_run()
    with unchanged(run):
        place.refuses(2, *place.tuning_from(os.path.join(run, "best.h5"), "--force", out="run"), names=["--weights", "best.h5"])
        split = os.path.join(place.here, ".", "run", "split.csv")
        place.refuses(2, *place.tuning("--split-file", split, "--force", out="run"), names=["--split-file", "split.csv"])


def case_profile(place):
    place.run(*features(place, "--profile", place.path("trace.json")))
    with open(place.path("trace.json")) as f:
        assert json.load(f)
    with unchanged(place.here):
        place.refuses(73, *features(place, "--profile", place.path("trace.json"), out="g.h5"), names=["trace.json"])
        place.refuses(74, *features(place, "--profile", "/proc/nowhere/t.json", out="g.h5"), names=["/proc/nowhere/t.json"])
        folds = place.tuning("--leave-glitches-out", 3, "--profile", place.path("t.json"))
        place.refuses(2, *folds, names=["--profile", "--leave-glitches-out"])


def case_empty_folder_is_taken(place):
    os.makedirs(place.path("out"))
    place.tune()
    assert os.path.exists(place.path("out", "evaluation.json"))


def case_out_that_cannot_be_made(place):
    pictures.write(place.path("file"), "mine")
    with unchanged(place.here):
        for out in ("/proc/nowhere/run", place.path("file", "run")):
            place.refuses(74, *place.tuning(out=out), names=[out])
        for out in ("/proc/nowhere/f.h5", place.path("file", "f.h5"), place.path("gone", "f.h5"), place.here + "/"):
            place.refuses(73 if out.endswith("/") else 74, *features(place, out=out), names=[out])


def case_features_file_that_exists(place):
    pictures.write(place.path("f.h5"), "mine")
    with unchanged(place.here):
        place.refuses(73, *features(place), names=["f.h5", "--force"])
        place.refuses(73, *features(place, "--force"), names=["f.h5"])
    shutil.copy(os.path.join(place.finished_run, "best.h5"), place.path("f.h5"))
    with unchanged(place.here):  # written by this program, but not features
        place.refuses(73, *features(place, "--force"), names=["f.h5"])
    os.remove(place.path("f.h5"))
    place.run(*features(place))
    with unchanged(place.here):
        place.refuses(73, *features(place), names=["f.h5"])
    place.run(*features(place, "--force"))


def case_failed_features_leave_nothing(place):
    data = place.own_data()
    pictures.truncated(os.path.join(data, "blob", "cut.png"))
    with unchanged(place.here):
        place.refuses(65, "features", place.finished_run, "--data", data, "--out", place.path("f.h5"), names=["cut.png"])


@contextlib.contextmanager
def small_disk(place, size):
    """A file system with no more than `size` bytes."""
    folder = place.path("disk")
    os.makedirs(folder)
    if os.geteuid() != 0:
        raise Skip("only root may mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        raise Skip(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)


def case_no_space_for_a_run(place):
    with small_disk(place, 1 << 20) as disk, unchanged(disk):
        place.refuses(74, *place.tuning(out="disk/out"), names=["best.h5", "No space left on device"])


def case_no_space_for_the_second_epoch(place):
    """best.h5 of an earlier epoch survives the failure to write a better one."""
    size = os.path.getsize(os.path.join(place.finished_run, "best.h5"))
    # A checkpoint is twice as large: at first that of the first epoch finds no room, then the second epoch's weights.
    for room in (size * 3 // 2, size * 7 // 2):
        with small_disk(place, room) as disk:
            longer = place.tuning("--epochs", 3, "--val-fraction", 0, out="disk/out")
            place.refuses(74, *longer, names=["No space left"])
            assert all_finite(os.path.join(disk, "out", "best.h5"))
            assert not glob.glob(os.path.join(disk, "out", ".*.partial"))


def case_no_space_for_features(place):
    with small_disk(place, 4096) as disk, unchanged(disk):
        place.refuses(74, *features(place, out="disk/f.h5"), names=["f.h5", "No space left on device"])


def case_stdout_that_cannot_be_written(place):
    image = os.path.join(place.data, "blob", "g00.png")
    for arguments in (["predict", place.finished_run, image], ["evaluate", place.finished_run, "--data", place.data, "--json"],
                      ["devices"], ["data", "inspect", place.data], ["--help"], ["--version"], ["fine-tune", "--help"]):
        with open("/dev/full", "w") as full:
            place.refuses(74, *arguments, stdout=full, names=["standard output", "No space left on device"])


def case_closed_streams(place):
    """A stream that the shell closed (>&-) loses its text, never into a file that was opened in its place."""
    script = '"$0" features "$1" --data "$2" --out f.h5 --threads 1'
    for closed, expected in ((" 2>&-", 0), (" 2>/dev/full", 0), (" >&- 2>&-", 74), (" <&-", 0)):
        done = subprocess.run(["sh", "-c", script + closed, place.binary, place.finished_run, place.data], cwd=place.here,
                              capture_output=True, text=True)
        assert done.returncode == expected, (closed, done.returncode, done.stderr)
        assert all_finite(place.path("f.h5"))
        os.remove(place.path("f.h5"))
    done = subprocess.run([place.binary, "evaluate", place.path("gone"), "--data", place.data], stderr=open("/dev/full", "w"))
    assert done.returncode == 66, done.returncode
