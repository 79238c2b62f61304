"""Folders and limits of the real system in which a training cannot write, and a file system without locks."""
import os
import resource
import shutil
import subprocess

from program import Skip, contents
from same_run import check_same


def begun_run(training, out, calls):
    """A training that was killed half-way: there is a checkpoint to lose."""
    process = training.start(out, fault=f"kill:{calls // 2}")
    process.communicate(timeout=300)
    assert os.path.exists(os.path.join(out, "last.h5")), os.listdir(out)
    return out


def check_refused(code, stderr):
    """It ended because it could not write, and said so in one line."""
    assert code == 74, f"exit code {code}: {stderr[-800:]}"
    errors = [line for line in stderr.splitlines() if line.startswith("xferrun: error: ")]
    assert len(errors) == 1 and "cannot be written" in errors[0] and "terminate" not in stderr, stderr[-800:]


def last(run):
    with open(os.path.join(run, "last.h5"), "rb") as f:
        return f.read()


def in_namespace(script, *arguments):
    """Runs a shell script where it may mount; its mounts go with it. Lines that begin with "exit " are the codes that it tells."""
    if subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "true"], capture_output=True).returncode != 0:
        raise Skip("this system allows no mount namespaces")
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-e", "-c", script, "sh", *map(str, arguments)],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-800:]
    return [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("exit ")], done.stderr


def read_only(training, out, reference, begun):
    """The folder of a run, and the folder that one is to be made in."""
    shutil.copytree(begun, out)
    before = contents(out)
    script = 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; shift; code=0; "$@" || code=$?; echo "exit $code"'
    for arguments in (training.command(out, "--resume"), training.command(os.path.join(out, "new"))):
        codes, stderr = in_namespace(script, out, *arguments)
        check_refused(codes[0], stderr)
    assert contents(out) == before
    training.run(out, "--resume")
    check_same(out, reference)


def full_file_system(training, out, reference, begun):
    """A file system on which its second checkpoint has no room, until it is made larger."""
    sizes = {name: os.path.getsize(os.path.join(reference, name)) for name in ("best.h5", "last.h5")}
    room = 2 * sizes["best.h5"] + sizes["last.h5"] * 3 // 2
    os.mkdir(out)
    script = """disk=$1 room=$2 run=$3; shift 3
mount -t tmpfs -o size="$room" tmpfs "$disk"
code=0; "$@" || code=$?; echo "exit $code"
cp "$run/last.h5" "$disk.last.h5"
mount -o remount,size=1g "$disk"
code=0; "$@" --resume || code=$?; echo "exit $code"
cp -r "$run" "$disk.run"
"""
    run = os.path.join(out, "run")
    codes, stderr = in_namespace(script, out, room, run, *training.command(run))
    assert codes[1] == 0, stderr[-800:]
    check_refused(codes[0], stderr)
    assert "going on in epoch" in stderr, stderr[-800:]
    check_same(out + ".run", reference)


def file_too_large(training, out, reference, begun):
    """A limit of files' sizes, which would send SIGXFSZ."""
    shutil.copytree(begun, out)
    before = last(out)
    limit = len(before) // 2
    done = subprocess.run(training.command(out, "--resume"), capture_output=True, text=True, timeout=300, env=training.environment(),
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    check_refused(done.returncode, done.stderr)
    assert last(out) == before
    training.run(out, "--resume")
    check_same(out, reference)


def without_locks(error):
    """A file system that has none: it warns, and does the rest as always."""

    def case(training, out, reference, begun):
        # What a killed writer left would stay: only its lock tells that it is gone.
        shutil.copytree(begun, out, ignore=shutil.ignore_patterns("*.partial"))
        for run, options in ((out, ["--resume"]), (os.path.join(out, "new"), [])):
            stderr = training.run(run, *options, fault=f"{error}:0")
            assert "has no locks" in stderr, stderr[-800:]
            check_same(run, reference)

    return case


def all_cases():
    yield "a read-only folder", read_only
    yield "a full file system", full_file_system
    yield "files that may not grow", file_too_large
    for error in ("ENOLCK", "EOPNOTSUPP", "ENOSYS"):
        yield f"no locks: {error}", without_locks(error)
