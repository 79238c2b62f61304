"""qscan: pictures of triggers in strain."""
import os
import struct

import h5py

import pictures
import strain_files
from place import strict_json
from program import unchanged
from strain_files import MERGER, START

DURATIONS = ("0.5", "1.0", "2.0", "4.0")


def names_of(gps, ifo="H1"):
    return sorted(f"{ifo}_{gps}_spectrogram_{d}.png" for d in DURATIONS)


def scanned(place, *arguments):
    done = place.run("qscan", *arguments, "--json")
    return [strict_json(line) for line in done.stdout.splitlines()], done.stderr


def size_of(png):
    with open(png, "rb") as f:
        return struct.unpack(">II", f.read(24)[16:])


def case_one_trigger(place):
    strain = strain_files.write(place.path("s.hdf5"))
    (found,), log = scanned(place, strain, "--gps", MERGER, "--out", "out")
    assert abs(found["peak_time"] - MERGER) < 0.01 and abs(found["peak_frequency"] / 150 - 1) < 0.1, found
    assert found["ifo"] == "H1" and found["gps"] == MERGER and found["peak_energy"] > 300 and 4 < found["q"] < 64, found
    assert found["block"] == [START, START + 40], found
    assert len(found["clipped"]) == 2 and "40 s instead of 64" in found["clipped"][0] and "1024 Hz" in found["clipped"][1], found
    assert all(text in log for text in found["clipped"]), log
    assert sorted(os.listdir(place.path("out"))) == names_of(MERGER)
    assert sorted(map(os.path.basename, found["pictures"])) == names_of(MERGER)
    assert all(size_of(place.path("out", name)) == (566, 466) for name in names_of(MERGER))


def case_triggers_as_alone(place):
    """Thousands at once give the pictures that each gives alone; order of time, whatever the order of the file."""
    other = START + 9.5
    strain = strain_files.write(place.path("s.hdf5"), signals=((MERGER, 150), (other, 60)))
    omicron = pictures.write(place.path("o.csv"), f"time,frequency,snr\n{MERGER},150,40\n{other},60,40\n{MERGER + 1},30,5\n")
    together, _ = scanned(place, strain, "--triggers", omicron, "--out", "out")
    assert [one["gps"] for one in together] == [other, MERGER, MERGER + 1], together
    for one in together:
        (alone,), _ = scanned(place, strain, "--gps", one["gps"], "--out", "alone", "--threads", 1)
        assert {**alone, "pictures": 0} == {**one, "pictures": 0}, (alone, one)
        for name in names_of(one["gps"]):
            with open(place.path("out", name), "rb") as a, open(place.path("alone", name), "rb") as b:
                assert a.read() == b.read(), name
    spy = pictures.write(place.path("g.csv"), f"event_time,ifo,label\n{MERGER},L1,Blip\n{other},H1,Blip\n")
    (found,), log = scanned(place, strain, "--triggers", spy, "--out", "spy")
    assert found["gps"] == other and "1 triggers of other detectors" in log, (found, log)
    table = place.run("qscan", strain, "--triggers", omicron, "--out", "table").stdout
    assert "energy" in table and len(table.splitlines()) == 4, table


def case_interruptions(place):
    """NaN and gaps outside what a trigger needs shorten its block; inside, the trigger is refused."""
    strain = strain_files.write(place.path("s.hdf5"), bad=[START + 34.5], gap=(4, 6))
    (found,), log = scanned(place, strain, "--gps", MERGER, "--out", "out")
    assert found["block"] == [START + 6, START + 34.5], found
    assert "gap" in found["clipped"][0] and "no numbers" in found["clipped"][0], found
    assert f"no data from GPS {START + 4} to {START + 6}" in log, log
    with unchanged(place.here):
        for gps, names in ((START + 5, ["gap", START + 4, START + 6]), (START + 34.5, ["no number"]), (START + 36, ["3 s"]),
                           (START + 33, ["3 s", "no numbers"]), (START + 38, ["3 s", "file"])):
            text = place.refuses(65, "qscan", strain, "--gps", gps, "--out", "out", names=names)
            assert str(gps) in text, text
    listed = pictures.write(place.path("t.csv"), "time\n" + "".join(f"{t}\n" for t in (START + 5, MERGER + 1, START - 3)))
    lines, log = scanned(place, strain, "--triggers", listed, "--out", "some")
    assert ["error" in line for line in lines] == [True, True, False], lines
    assert "2 of 3 triggers" in log and sorted(os.listdir(place.path("some"))) == names_of(MERGER + 1), log
    none = pictures.write(place.path("n.csv"), f"time\n{START - 5}\n{START + 5}\n")
    place.run("qscan", strain, "--triggers", none, "--out", "some", code=65)


def case_bad_input(place):
    strain = strain_files.write(place.path("s.hdf5"))
    with h5py.File(place.path("other.hdf5"), "w") as f:
        f.create_group("strain")
    with h5py.File(place.path("slow.hdf5"), "w") as f:
        f.create_dataset("strain/Strain", data=[0.0] * 100).attrs["Xspacing"] = 0.0
        f["meta/GPSstart"] = START
    still = strain_files.write(place.path("still.hdf5"))
    with h5py.File(still, "r+") as f:
        f["strain/Strain"][:] = 0
    other = pictures.write(place.path("c.csv"), "peak,snr\n1,2\n")
    twice = pictures.write(place.path("t.csv"), f"time\n{MERGER}\n{MERGER}\n")
    word = pictures.write(place.path("w.csv"), "time\nnoon\n")
    end = ["--out", "out"]
    with unchanged(place.here):
        for code, arguments, names in [
            (65, [strain, "--gps", START - 1], ["s.hdf5", START, START + 40, START - 1]),
            (65, [strain, "--gps", START + 40], ["s.hdf5"]),
            (66, [place.path("gone.hdf5"), "--gps", MERGER], ["gone.hdf5"]),
            (65, [other, "--gps", MERGER], ["c.csv"]),
            (65, [place.path("other.hdf5"), "--gps", MERGER], ["other.hdf5", "/strain/Strain"]),
            (65, [place.path("slow.hdf5"), "--gps", MERGER], ["slow.hdf5", "Xspacing"]),
            (65, [strain, "--triggers", other], ["c.csv", "event_time", "peak, snr"]),
            (65, [strain, "--triggers", twice], ["t.csv:3", "line 2"]),
            (65, [strain, "--triggers", word], ["w.csv:2", "noon"]),
            (66, [strain, "--triggers", place.path("gone.csv")], ["gone.csv"]),
            (2, [strain], ["--gps", "--triggers"]),
            (2, [strain, "--gps", MERGER, "--triggers", twice], ["--triggers"]),
            (2, [strain, "--gps", "nan"], ["--gps"]),
            (2, [strain, "--gps", MERGER, "--threads", 0], ["--threads"]),
        ]:
            place.refuses(code, "qscan", *arguments, *end, names=names)
    place.refuses(65, "qscan", still, "--gps", MERGER, *end, names=["does not change"])


def case_pictures_that_exist(place):
    strain = strain_files.write(place.path("s.hdf5"))
    scanned(place, strain, "--gps", MERGER, "--out", "out")
    with unchanged(place.here):
        place.refuses(73, "qscan", strain, "--gps", MERGER, "--out", "out", names=[names_of(MERGER)[0], "--force"])
    scanned(place, strain, "--gps", MERGER, "--out", "out", "--force")
    pictures.write(place.path("out", names_of(MERGER)[2]), "mine")
    pictures.write(place.path("file"), "mine")
    with unchanged(place.here):
        place.refuses(73, "qscan", strain, "--gps", MERGER, "--out", "out", "--force", names=[names_of(MERGER)[2]])
        place.refuses(74, "qscan", strain, "--gps", MERGER, "--out", "file", names=["file"])
