"""Prints results.tsv as the table of README.md: the largest figure of each network and framework.

usage: table.py RESULTS
"""
import collections
import re
import sys

COLUMNS = ["read keras3", "read tf-keras", "read torch", "train keras", "train torch", "train keras, Winograd",
           "train torch, Winograd", "best keras", "best torch"]


def main():
    cells = collections.defaultdict(list)
    for line in open(sys.argv[1]):
        name, word, text = line.rstrip("\n").split("\t")
        if name.startswith("strain/"):
            continue  # figures of their own
        part, network, what = name.split("/")
        framework = next(f for f in ["keras3", "tf-keras", "torch", "keras"] if what.startswith(f))
        for how in text.split("; "):
            column = f"{part} {framework}" + (", Winograd" if how.startswith("by-rule") else "")
            # The steps' change has a limit of its own and is left out.
            figures = re.findall(r"(?<!change )\b\d\.\de[-+]\d\d", how) if word == "ok" else ["inf"]
            cells[network, column].append(max(map(float, figures)))
    print("| network |", " | ".join(COLUMNS), "|")
    print("|---|" + "---|" * len(COLUMNS))
    for network in dict.fromkeys(network for network, _ in cells):
        row = []
        for column in COLUMNS:
            found = cells[network, column]
            row.append(f"{max(found):.1e} ({len(found)})" if found else "")
        print("|", network, "|", " | ".join(row).replace("inf", "FAILED"), "|")


main()
