"""`weights fetch` from servers that misbehave: nothing wrong ever lies in the cache under a file's name."""
import contextlib
import http.server
import os
import re
import threading

BYTES = 58889256  # of vgg16_notop
NAME = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
PART = BYTES // 2 + 1000  # what a server that breaks off sends at a time


@contextlib.contextmanager
def mirror(answer):
    """A server on this machine; `answer(handler, first)` sends what it likes from byte `first` on. Gives its address and the
    first bytes that were asked for so far."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
            asked.append(int(wanted[1]) if wanted else 0)
            assert self.path == f"/weights/{NAME}", self.path
            with contextlib.suppress(ConnectionError):
                answer(self, asked[-1])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/weights", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
