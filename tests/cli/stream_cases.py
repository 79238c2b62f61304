"""predict --watch, --stdin and --strain: pictures as they come, and from strain."""
import contextlib
import fcntl
import os
import queue
import shutil
import signal
import subprocess
import threading
import time

import numpy as np
from PIL import Image

import pictures
import strain_files
from place import strict_json
from program import unchanged
from strain_files import MERGER, START

WAIT_S = 60


def picture(place, number=0, kind="blob"):
    return pictures.png(pictures.picture(kind, number))


def label_of(place, path):
    return strict_json(place.run("predict", place.finished_run, path).stdout)["label"]


class Stream:
    """A running predict; its lines as they come."""

    def __init__(self, place, *arguments, **popen):
        self.process = place.start("predict", place.finished_run, "--threads", 1, *arguments, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **popen)
        self.lines, self.log = queue.Queue(), queue.Queue()
        for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.log)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line.decode(errors="surrogateescape"))

    def line(self):
        return strict_json(self.lines.get(timeout=WAIT_S))

    def watching(self):
        while "watching" not in self.log.get(timeout=WAIT_S):
            pass
        return self

    def end(self, code, number=signal.SIGTERM):
        """Sends the signal (0: none); the process must end with the code, having printed nothing more."""
        if number:
            self.process.send_signal(number)
        assert self.process.wait(WAIT_S) == code, self.process.returncode
        time.sleep(0.1)
        rest = [self.lines.get_nowait() for _ in range(self.lines.qsize())]
        assert not rest, rest


@contextlib.contextmanager
def watching(place, *options, folder="in"):
    os.makedirs(place.path(folder), exist_ok=True)
    stream = Stream(place, "--watch", folder, *options)
    try:
        yield stream.watching()
    finally:
        stream.process.kill()
        stream.process.wait()


def arrive(place, name, content, folder="in"):
    """A file that is whole when it gets its name."""
    pictures.write(place.path("part"), content)
    os.rename(place.path("part"), place.path(folder, name))


def case_watch_classifies_what_is_there_and_what_arrives(place):
    pictures.write(place.path("in", "old.png"), picture(place, 1))
    pictures.write(place.path("in", ".hidden.png"), picture(place, 1))
    pictures.write(place.path("in", "notes.txt"), "mine")
    with watching(place) as stream:
        first = stream.line()
        assert first["path"] == "in/old.png" and first["label"] == label_of(place, place.path("in", "old.png")), first
        pictures.write(place.path("in", "written.png"), picture(place, 2, "line"))
        assert stream.line()["path"] == "in/written.png"
        arrive(place, "moved.PNG", picture(place, 3, "rise"))
        assert stream.line()["path"] == "in/moved.PNG"
        pictures.write(place.path("in", "written.png"), picture(place, 4, "rise"))  # another picture of the same name
        assert stream.line()["path"] == "in/written.png"
        stream.end(0)


def case_watch_waits_for_what_is_being_written(place):
    whole = picture(place, 5)
    with watching(place) as stream:
        with open(place.path("in", "slow.png"), "wb") as f:
            f.write(whole[: len(whole) // 2])
            f.flush()
            arrive(place, "quick.png", picture(place, 6))
            assert stream.line()["path"] == "in/quick.png"
            time.sleep(3)
            f.write(whole[len(whole) // 2:])
        slow = stream.line()
        assert slow["path"] == "in/slow.png" and "label" in slow, slow
        stream.end(0, signal.SIGINT)


def case_watch_says_what_is_no_picture_once(place):
    with watching(place, "--state", "state") as stream:
        arrive(place, "bad.png", b"text")
        bad = stream.line()
        assert bad["path"] == "in/bad.png" and "error" in bad and "label" not in bad, bad
        arrive(place, "good.png", picture(place))
        assert stream.line()["label"]
        stream.end(0)
    with watching(place, "--state", "state") as stream:
        arrive(place, "bad.png", picture(place, 7))  # mended
        assert stream.line()["label"]
        stream.end(0)


def case_watch_drops_none_and_does_none_twice(place):
    """Many at once, over several restarts, one of them a kill."""
    names = [f"g{i:03}.png" for i in range(60)]
    content = picture(place)
    seen = []
    for part, number in ((0, signal.SIGTERM), (1, signal.SIGKILL), (2, signal.SIGTERM)):
        for name in names[part * 20:part * 20 + 10]:  # while nobody watches
            arrive(place, name, content) if part else pictures.write(place.path("in", name), content)
        with watching(place, "--state", "state") as stream:
            for name in names[part * 20 + 10:part * 20 + 20]:
                arrive(place, name, content)
            while len(seen) < (part + 1) * 20:
                seen.append(stream.line()["path"])
            time.sleep(0.2)
            stream.end(0 if number == signal.SIGTERM else -number, number)
    assert sorted(seen) == [f"in/{name}" for name in names], seen
    assert len(open(place.path("state")).readlines()) == 61


def case_watch_and_a_reader_that_is_slow_or_gone(place):
    """A full pipe blocks, and nothing is lost. A closed one ends it, and what nobody got is done again."""
    os.makedirs(place.path("in"))
    names = [f"in/g{i:02}.png" for i in range(44)]
    for name in names[:40]:
        arrive(place, os.path.basename(name), picture(place))
    read, write = os.pipe()
    fcntl.fcntl(write, 1031, 4096)  # F_SETPIPE_SZ: about a dozen lines
    process = place.start("predict", place.finished_run, "--threads", 1, "--watch", "in", "--state", "state", stdout=write,
                          stderr=subprocess.PIPE)
    os.close(write)
    time.sleep(4)
    with os.fdopen(read) as lines:
        seen = [strict_json(lines.readline())["path"] for _ in range(40)]
    assert sorted(seen) == names[:40], seen
    for name in names[40:]:
        arrive(place, os.path.basename(name), picture(place))
    _, log = process.communicate(timeout=WAIT_S)
    assert process.returncode == 74 and b"standard output" in log, (process.returncode, log)
    with watching(place, "--state", "state") as stream:
        assert sorted(stream.line()["path"] for _ in range(4)) == names[40:]
        stream.end(0)


def case_state_of_odd_names_and_cut_short(place):
    names = [" a.png", "back\\slash.png", "line\nbreak.png"]
    os.makedirs(place.path("in"))
    for name in names:
        arrive(place, name, picture(place))
    with watching(place, "--state", "state") as stream:
        assert sorted(stream.line()["path"] for _ in names) == sorted("in/" + name for name in names)
        stream.end(0)
    with watching(place, "--state", "state") as stream:
        arrive(place, "z.png", picture(place))
        assert stream.line()["path"] == "in/z.png"
        stream.end(0)
    with open(place.path("state"), "r+b") as f:  # killed while it noted that
        f.truncate(os.path.getsize(f.name) - 3)
    with watching(place, "--state", "state") as stream:
        assert stream.line()["path"] == "in/z.png"
        stream.end(0)


def case_watch_bad_input(place):
    pictures.write(place.path("file"), "mine")
    os.makedirs(place.path("in"))
    run = place.finished_run
    with unchanged(place.here):
        place.refuses(66, "predict", run, "--watch", "gone", names=["gone"])
        place.refuses(66, "predict", run, "--watch", "file", names=["file"])
        place.refuses(65, "predict", run, "--watch", "in", "--state", "file", names=["file", "--state"])
        place.refuses(74, "predict", run, "--watch", "in", "--state", "gone/state", names=["gone/state"])
        place.refuses(2, "predict", run, "--watch", "in", "--stdin", names=["--watch", "--stdin"])
        place.refuses(2, "predict", run, "a.png", "--stdin", names=["--stdin"])
        place.refuses(2, "predict", run, names=["--watch", "--strain"])
        place.refuses(2, "predict", run, "a.png", "--state", "s", names=["--state"])
    with watching(place, "--state", "state") as stream:
        place.refuses(2, "predict", run, "--watch", "in", "--state", "state", names=["state", "another process"])
        shutil.rmtree(place.path("in"))
        assert stream.process.wait(WAIT_S) == 66


def case_stdin(place):
    paths = [pictures.write(place.path(n), picture(place, i)) for i, n in enumerate(("a.png", "b b.png", "c.png"))]
    bad, gone = pictures.write(place.path("bad.png"), "text"), place.path("gone.png")
    given = "\n".join([paths[0], bad, "", paths[1], gone, paths[2]])  # the last line has no end
    stream = Stream(place, "--stdin", "--state", "state", stdin=subprocess.PIPE)
    stream.process.stdin.write(given.encode())
    stream.process.stdin.close()
    lines = [stream.line() for _ in range(5)]
    stream.end(0, None)
    assert [line["path"] for line in lines] == [paths[0], bad, paths[1], gone, paths[2]], lines
    assert ["error" in line for line in lines] == [False, True, False, True, False], lines
    assert lines[0]["label"] == label_of(place, paths[0])
    again = Stream(place, "--stdin", "--state", "state", stdin=subprocess.PIPE)
    again.process.stdin.write((given + "\n").encode())
    again.process.stdin.close()
    assert again.line()["path"] == gone
    again.end(0, None)


def case_stdin_answers_each_line_and_stops_on_a_signal(place):
    path = pictures.write(place.path("a.png"), picture(place))
    stream = Stream(place, "--stdin", stdin=subprocess.PIPE)
    for _ in range(3):
        stream.process.stdin.write(f"{path}\n".encode())
        stream.process.stdin.flush()
        assert stream.line()["path"] == path
    stream.end(75)


def case_strain(place):
    """The picture in memory is the one that qscan writes."""
    strain = strain_files.write(place.path("s.hdf5"))
    place.run("qscan", strain, "--gps", MERGER, "--out", "out")
    for duration in ("0.5", "1.0", "4.0"):
        found = strict_json(place.run("predict", place.finished_run, "--strain", strain, "--gps", MERGER, "--duration",
                                      duration).stdout)
        file = strict_json(place.run("predict", place.finished_run,
                                     place.path("out", f"H1_{MERGER}_spectrogram_{duration}.png")).stdout)
        assert found["gps"] == MERGER and found["ifo"] == "H1" and found["duration"] == float(duration), found
        assert (found["label"], found["top"]) == (file["label"], file["top"]), (found, file)
    both = place.run("predict", place.finished_run, "--strain", strain, "--gps", MERGER, "--gps", MERGER + 1)
    assert [strict_json(line)["gps"] for line in both.stdout.splitlines()] == [MERGER, MERGER + 1]
    with unchanged(place.here):
        run = place.finished_run
        place.refuses(65, "predict", run, "--strain", strain, "--gps", START - 9, names=["s.hdf5", START, START - 9])
        place.refuses(65, "predict", run, "--strain", strain, "--gps", START + 1, names=["3 s"])
        place.refuses(2, "predict", run, "--strain", strain, names=["--gps"])
        place.refuses(2, "predict", run, "--strain", strain, "--gps", MERGER, "--duration", 3, names=["--duration", "0.5"])
        place.refuses(66, "predict", run, "--strain", "gone.hdf5", "--gps", MERGER, names=["gone.hdf5"])


def plot_of(picture_file, path):
    """The picture where the public PNG release has it in its plots."""
    pixels = np.full((600, 800, 3), 255, np.uint8)
    pixels[66:532, 105:671] = np.asarray(Image.open(picture_file))
    return pictures.write(path, pictures.png(pixels))


def case_strain_in_views(place):
    """A run on several durations sees of strain what it sees of the public release's plots of the same pictures."""
    place.run("simulate", "--out", "sim.h5", "--per-class", 6, "--classes", "Blip,Tomte,Whistle")
    strain = strain_files.write(place.path("s.hdf5"))
    place.run("qscan", strain, "--gps", MERGER, "--out", "out")
    plots = [plot_of(place.path("out", f"H1_{MERGER}_spectrogram_{d}.png"), place.path(f"H1_abc_spectrogram_{d}.png"))
             for d in ("0.5", "1.0", "2.0", "4.0")]
    for view, used in (("merged", plots), ("stack:0.5,2.0,4.0", [plots[0], *plots[2:]]), ("single:2.0", plots[2:3]), ("all", plots)):
        run = place.path(view[:5])
        place.tune("--view", view, data=place.path("sim.h5"), out=run)
        found = strict_json(place.run("predict", run, "--strain", strain, "--gps", MERGER).stdout)
        plain = strict_json(place.run("predict", run, *used).stdout)
        assert found["view"] == view and "duration" not in found, found
        for a, b in zip(found["top"], plain["top"]):
            assert a["label"] == b["label"] and abs(a["probability"] - b["probability"]) < 1e-5, (view, found, plain)
        place.refuses(2, "predict", run, "--strain", strain, "--gps", MERGER, "--duration", "1.0", names=["--duration", view])
        if view != "single:2.0":
            place.refuses(2, "predict", run, "--watch", "out", names=[view])
