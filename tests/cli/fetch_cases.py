"""`weights fetch` and `data fetch` from servers that misbehave: nothing wrong ever lies in the cache under a file's name."""
import contextlib
import hashlib
import http.server
import json
import os
import re
import threading

import pictures
from place import strict_json

BYTES = 58889256  # of vgg16_notop
NAME = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
PART = BYTES // 2 + 1000  # what a server that breaks off sends at a time


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def listening(handler):
    """A server's address, while it lasts."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def mirror(answer):
    """A server on this machine; `answer(handler, first)` sends what it likes from byte `first` on. Gives its address and the
    first bytes that were asked for so far."""
    asked = []

    class Handler(Quiet):
        def do_GET(self):
            wanted = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
            asked.append(int(wanted[1]) if wanted else 0)
            assert self.path == f"/weights/{NAME}", self.path
            with contextlib.suppress(ConnectionError):
                answer(self, asked[-1])

    with listening(Handler) as address:
        yield f"{address}/weights", asked


def head(handler, status, length, first=0):
    handler.send_response(status)
    handler.send_header("Content-Length", str(length))
    if status == 206:
        handler.send_header("Content-Range", f"bytes {first}-{BYTES - 1}/{BYTES}")
    handler.end_headers()


def fetching(place, address):
    return ["weights", "fetch", "vgg16_notop", "--mirror", address]


def refused(place, code, answer, *names):
    cache = place.path("cache")
    with mirror(answer) as (address, asked):
        place.refuses(code, *fetching(place, address), names=[address, *names], environment={"XDG_CACHE_HOME": cache})
    left = [f for _, _, files in os.walk(cache) for f in files]
    assert left == [NAME + ".lock"], left
    return asked


def case_a_file_of_another_hash(place):
    def answer(handler, first):
        head(handler, 200, BYTES)
        handler.wfile.write(bytes(BYTES))

    assert refused(place, 65, answer, "MD5", "6d6bbae143d832006294945121d1f1fc") == [0]


def case_a_connection_that_breaks(place):
    def answer(handler, first):
        head(handler, 206 if first else 200, BYTES - first, first)
        handler.wfile.write(bytes(min(PART, BYTES - first)))

    assert refused(place, 65, answer, "MD5") == [0, PART]  # whole in the end, and another file


def case_a_length_that_is_a_lie(place):
    refused(place, 65, lambda handler, first: head(handler, 200, 1000), "1000", BYTES)
    refused(place, 65, lambda handler, first: head(handler, 200, 1 << 50), 1 << 50, BYTES)


def case_a_server_without_the_file(place):
    refused(place, 69, lambda handler, first: head(handler, 404, 0), "404")


def case_a_server_that_is_not_there(place):
    with mirror(lambda handler, first: None) as (address, _):
        pass
    place.refuses(69, *fetching(place, address), names=[address], environment={"XDG_CACHE_HOME": place.path("cache")})


def case_no_place_for_a_cache(place):
    place.refuses(69, *fetching(place, "http://127.0.0.1:1"), names=["XDG_CACHE_HOME"],
                  environment={"XDG_CACHE_HOME": "", "HOME": ""})


def case_a_name_that_is_not_known(place):
    place.refuses(2, "weights", "fetch", "alexnet", names=["alexnet", "vgg16_notop", "resnet50_v0.2"])


IMAGES, METADATA = "trainingsetv1d1.h5", "trainingset_v1d1_metadata.csv"


def record(files):
    """What Zenodo says of files, as far as it is read."""
    return json.dumps({"id": 1476551, "files": [
        {"key": k, "size": len(v), "checksum": "md5:" + hashlib.md5(v).hexdigest()} for k, v in files.items()]}).encode()


@contextlib.contextmanager
def folder_of(files):
    """A server that has these files. Gives its address and what was asked for so far."""
    asked = []

    class Handler(Quiet):
        def do_GET(self):
            asked.append(os.path.basename(self.path))
            body = files.get(self.path.removeprefix("/set/"))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body or b"")

    with listening(Handler) as address:
        yield f"{address}/set/", asked


def public_data(place):
    """Two files that stand for the public ones."""
    with open(pictures.gravity_spy(place.path("set.h5")), "rb") as f:
        images = f.read()
    rows = [f"{c}{i},{1e9 + i}" for c in pictures.CLASSES for i in range(6)]
    return {IMAGES: images, METADATA: ("gravityspy_id,event_time\n" + "\n".join(rows) + "\n").encode()}


def case_data_is_fetched_once_and_used(place):
    files = public_data(place)
    cache = {"XDG_CACHE_HOME": place.path("cache")}
    with folder_of({**files, "record.json": record(files)}) as (address, asked):
        first = place.run("data", "fetch", "gravityspy-v1.1", "--mirror", address, environment=cache)
        assert sorted(asked) == sorted(["record.json", METADATA, IMAGES]), asked
        again = place.run("data", "fetch", "gravityspy-v1.1", "--mirror", address, "--json", environment=cache)
        assert len(asked) == 3, asked  # what is there was checked against the record that was kept
    path = first.stdout.strip()
    assert path == place.path("cache", "xferrun", "data", "gravityspy-v1.1", IMAGES), path
    told = strict_json(again.stdout)
    assert (told["path"], told["bytes"], told["md5"]) == (path, len(files[IMAGES]), hashlib.md5(files[IMAGES]).hexdigest())
    found = strict_json(place.run("data", "inspect", path, "--json").stdout)
    assert found["images"] == 72 and found["gps_times"] == 72, found  # the metadata beside it were found


def case_data_that_does_not_fit_its_record(place):
    files = public_data(place)
    other = {**files, IMAGES: files[IMAGES][::-1]}
    short = {**files, IMAGES: files[IMAGES][:-1]}
    cases = [
        (65, {**other, "record.json": record(files)}, ["MD5", IMAGES]),
        (65, {**short, "record.json": record(files)}, [len(files[IMAGES]) - 1, len(files[IMAGES])]),
        (65, {**files, "record.json": b"<html>"}, ["record.json", METADATA]),
        (65, {**files, "record.json": record({METADATA: files[METADATA]})}, ["record.json", IMAGES]),
        (65, {**files, "record.json": bytes(1000001)}, ["record.json", 1000000]),
        (69, files, ["record.json", "404"]),
        (69, {METADATA: files[METADATA], "record.json": record(files)}, [IMAGES, "404"]),
    ]
    for code, there, names in cases:
        with folder_of(there) as (address, _):
            place.refuses(code, "data", "fetch", "gravityspy-v1.1", "--mirror", address, names=[address, *names],
                          environment={"XDG_CACHE_HOME": place.path("cache")})
        folder = place.path("cache", "xferrun", "data", "gravityspy-v1.1")
        assert not os.path.exists(os.path.join(folder, IMAGES)) and not os.path.exists(os.path.join(folder, "record.json"))
    place.refuses(2, "data", "fetch", "imagenet", names=["imagenet", "gravityspy-v1.0", "gravityspy-v1.1"])
