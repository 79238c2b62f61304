"""Images and folders that cannot be learnt from: found before training, named, and nothing written."""
import os
import shutil
import struct
import zlib

import pictures
from program import unchanged


def refused(place, data, *names, code=65, options=()):
    """fine-tune refuses the data, naming `names`, and leaves no trace."""
    with unchanged(place.here):
        return place.refuses(code, *place.tuning(*options, data=data), names=names)


def case_truncated_png(place):
    pictures.truncated(place.path("data", "x", "y.png"))  # a class of its own, to have one more than the shared data
    data = shutil.copytree(place.data, place.path("data"), dirs_exist_ok=True)
    refused(place, data, "y.png")


def case_text_named_png(place):
    data = place.own_data()
    pictures.write(os.path.join(data, "line", "note.png"), "not a picture")
    refused(place, data, "line/note.png")


def case_every_bad_image_is_named_at_once(place):
    data = place.own_data()
    pictures.truncated(os.path.join(data, "blob", "cut.png"))
    pictures.write(os.path.join(data, "line", "note.png"), "not a picture")
    pictures.write(os.path.join(data, "rise", "empty.jpg"), b"")
    pictures.write(os.path.join(data, "rise", "head.bmp"), b"BM")
    os.symlink("/nowhere/at/all.png", os.path.join(data, "rise", "link.png"))
    refused(place, data, "cut.png", "note.png", "empty.jpg", "head.bmp", "link.png", "5 of 35")


def case_bad_images_are_skipped_when_asked(place):
    data = place.own_data()
    pictures.truncated(os.path.join(data, "blob", "cut.png"))
    done = place.tune("--on-bad-image", "skip", data=data)
    assert "cut.png" in done.stderr, done.stderr
    with open(place.path("out", "split.csv")) as f:
        assert "cut.png" not in f.read()


def case_all_images_of_a_class_are_bad(place):
    data = place.own_data()
    for name in os.listdir(os.path.join(data, "line")):
        pictures.write(os.path.join(data, "line", name), "not a picture")
    refused(place, data, "line", options=("--on-bad-image", "skip"))


def case_one_pixel_image(place):
    data = place.own_data()
    pictures.write(os.path.join(data, "blob", "dot.png"), pictures.png(pictures.picture("blob", 0, 1)))
    refused(place, data, "dot.png", "1x1")
    place.tune("--on-bad-image", "skip", data=data)


def case_png_that_claims_a_giant_picture(place):
    data = place.own_data()
    whole = pictures.png(pictures.picture("blob", 0))
    header = b"IHDR" + struct.pack(">IIBBBBB", 2**30, 2**30, 8, 2, 0, 0, 0)
    giant = whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:]
    pictures.write(os.path.join(data, "blob", "giant.png"), giant)
    refused(place, data, "giant.png")


def case_empty_class_folder(place):
    data = place.own_data()
    os.makedirs(os.path.join(data, "void"))
    refused(place, data, "void")


def case_no_class_folders(place):
    os.makedirs(place.path("data"))
    refused(place, place.path("data"), "data")
    pictures.write(place.path("data", "loose.png"), pictures.png(pictures.picture("blob", 0)))
    refused(place, place.path("data"), "data")


def case_one_class_only(place):
    refused(place, pictures.folder(place.path("data"), labels=("blob",)), "data", "blob")


def case_class_with_one_glitch(place):
    data = pictures.folder(place.path("data"), per_class=[8, 8, 1])
    refused(place, data, "rise", "1 glitch")
    # Without parts of its own there is a glitch to train on.
    place.tune("--val-fraction", 0, "--test-fraction", 0, data=data)


def case_durations_of_one_glitch_are_one_glitch(place):
    data = pictures.folder(place.path("data"), per_class=[8, 8, 1])
    for duration in ("0.5", "1.0", "2.0", "4.0"):
        os.rename(os.path.join(data, "rise", "g00.png"), os.path.join(data, "rise", f"a_{duration}.png"))
        shutil.copy(os.path.join(data, "rise", f"a_{duration}.png"), os.path.join(data, "rise", "g00.png"))
    os.remove(os.path.join(data, "rise", "g00.png"))
    refused(place, data, "rise", "1 glitch")


def case_data_that_is_not_there(place):
    refused(place, place.path("nowhere"), "nowhere", code=66)


def case_manifest_errors(place):
    shutil.copytree(place.data, place.path("data"))
    for text, code, names in [
        ("file,label\na.png,b\n", 65, ["path"]),
        ("path,label\n", 65, ["m.csv"]),
        ("path,label\ndata/blob/g00.png,\n", 65, ["m.csv:2", "label"]),
        ("path,label\ndata/blob/g00.png,a\ndata/blob/g00.png,a\n", 65, ["m.csv:3", "g00.png"]),
        ("path,label\ndata/blob/g00.png,a\ndata/blob/gone.png,b\n", 65, ["gone.png"]),
        ("path,label,split\ndata/blob/g00.png,a,holdout\n", 65, ["m.csv:2", "holdout"]),
        ("path,label,gps\ndata/blob/g00.png,a,soon\n", 65, ["m.csv:2", "soon"]),
        ("path,label\ndata/blob/g00.png,a,b,c\n", 65, ["m.csv:2"]),
        ("\x00\x01\x02", 65, ["m.csv"]),
        ("", 65, ["m.csv"]),
    ]:
        refused(place, pictures.write(place.path("m.csv"), text), *names, code=code)


def case_manifest_with_its_own_parts(place):
    shutil.copytree(place.data, place.path("data"))
    rows = ["path,label,split,id,gps"]
    for c in pictures.CLASSES:
        rows += [f"data/{c}/g{i:02}.png,{c},{'train' if i < 6 else 'val' if i < 8 else 'test'},,{1e9 + i}" for i in range(10)]
    pictures.write(place.path("m.csv"), "\n".join(rows) + "\n")
    place.tune(data=place.path("m.csv"))
    with open(place.path("out", "split.csv")) as f:
        parts = [line.split(",")[2] for line in f][1:]
    assert [parts.count(p) for p in ("train", "val", "test")] == [18, 6, 6], parts


def case_scan_names_bad_and_equal_images(place):
    data = place.own_data()
    pictures.truncated(os.path.join(data, "blob", "cut.png"))
    shutil.copy(os.path.join(data, "blob", "g00.png"), os.path.join(data, "blob", "twin.png"))
    done = place.run("data", "scan", data, code=65)
    for word in ("cut.png", "blob/g00.png blob/twin.png", "48x48: 31 images"):
        assert word in done.stdout, (word, done.stdout)
    place.run("data", "scan", place.data)
