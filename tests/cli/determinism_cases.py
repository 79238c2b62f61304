"""One seed, one result."""
from place import metrics, same_tensors, without_times


def pair(place, first, second):
    """The tensors that differ between two trainings, whose metrics must then differ too, or not."""
    place.tune("--epochs", 2, *first, out="a")
    place.tune("--epochs", 2, *second, out="b")
    differ = same_tensors(place.path("a", "best.h5"), place.path("b", "best.h5"))
    lines = [without_times(metrics(place.path(run))) for run in ("a", "b")]
    assert (lines[0] == lines[1]) == (not differ), (lines, differ)
    return differ


def case_same_seed(place):
    assert not pair(place, ["--threads", 2], ["--threads", 2])


def case_same_seed_with_everything_on(place):
    options = ["--threads", 2, "--augment", "time-shift=0.1", "--class-weights", "--ema", 0.9, "--accumulate", 2,
               "--optimizer", "adamw", "--precision", "bf16"]
    assert not pair(place, options, options)


def case_another_seed(place):
    assert pair(place, ["--seed", 1], ["--seed", 2])


def case_deterministic_f32(place):
    assert not pair(place, ["--deterministic", "--threads", 1], ["--deterministic", "--threads", 2])


def case_deterministic_bf16(place):
    bf16 = ["--deterministic", "--precision", "bf16"]
    assert not pair(place, [*bf16, "--threads", 1], [*bf16, "--threads", 2])
