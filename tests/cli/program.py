"""The built program, run from outside."""
import contextlib
import hashlib
import os
import re
import signal
import subprocess

# What no message for a user holds: an unhandled exception, the HDF5 library's own stack, the name of a C++ type.
NOISE = re.compile(r"terminate called|HDF5-DIAG|Segmentation|Sanitizer|runtime error|what\(\)|internal:|std::|defect")
TIMEOUT_S = 120
# Threads that wait do not take the cores from the cases that run beside.
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "passive"}


class Skip(Exception):
    """The case cannot run here; its text is the reason."""


class Program:
    """The program at `binary`, run in the folder `cwd`."""

    def __init__(self, binary, cwd):
        self.binary, self.cwd = binary, cwd

    def start(self, *arguments, **popen):
        """Starts the program with every signal at its default: a shell's background job inherits an ignored SIGINT."""
        return subprocess.Popen([self.binary, *map(str, arguments)], cwd=self.cwd, env=ENVIRONMENT,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **popen)

    def run(self, *arguments, code=0, stdout=subprocess.PIPE, environment=None):
        """Runs the program to its end, which must be with exit code `code`; returns it with stdout and stderr as text.
        `environment`: variables that are set besides."""
        done = subprocess.run([self.binary, *map(os.fspath, map(_text, arguments))], cwd=self.cwd, stdout=stdout,
                              stderr=subprocess.PIPE, env={**ENVIRONMENT, **(environment or {})}, timeout=TIMEOUT_S)
        done.stdout, done.stderr = (_decoded(stream) for stream in (done.stdout, done.stderr))
        shown = " ".join(str(a) for a in arguments)
        assert done.returncode == code, f"{shown}\n  exit code {done.returncode}, not {code}; stderr: {done.stderr[-1500:]}"
        assert not NOISE.search(done.stderr), f"{shown}\n  stderr: {done.stderr[-1500:]}"
        return done

    def refuses(self, code, *arguments, names=(), **options):
        """Runs the program, which must end with `code`, print nothing, and say in one error line and a line that tells what to
        do why; together they name each of `names`. Returns that text."""
        done = self.run(*arguments, code=code, **options)
        lines = done.stderr.splitlines()
        at = [i for i, line in enumerate(lines) if line.startswith("xferrun: error: ")]
        assert len(at) == 1, f"{len(at)} error lines: {done.stderr!r}"
        message = "\n".join(lines[at[0]:])
        assert re.match(r"xferrun: error: [^:\s].*?: \S", message), f"not WHAT: WHY: {message!r}"
        assert lines[-1].startswith("xferrun: ") and at[0] < len(lines) - 1, f"no line that says what to do: {message!r}"
        for name in names:
            assert str(name) in message, f"does not name {name!r}: {message!r}"
        return message


def _text(argument):
    return argument if isinstance(argument, (str, bytes, os.PathLike)) else str(argument)


def _decoded(stream):
    return None if stream is None else stream.decode(errors="surrogateescape")


def contents(folder):
    """Everything below a folder: path → hash of the bytes, target of a link, or None for a folder."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.relpath(os.path.join(base, name), folder)] = None
        for name in files:
            path = os.path.join(base, name)
            if os.path.islink(path):
                found[os.path.relpath(path, folder)] = os.readlink(path)
                continue
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


@contextlib.contextmanager
def unchanged(*folders):
    """What is done within leaves the folders as they were, byte for byte, temporaries included."""
    before = [contents(f) for f in folders]
    yield
    for folder, was in zip(folders, before):
        now = contents(folder)
        differ = sorted(k for k in was.keys() | now.keys() if was.get(k, "absent") != now.get(k, "absent"))
        assert not differ, f"{folder} changed: {differ}"
