"""report: one page that needs nothing beside it, and what a browser makes of it."""
import base64
import io
import json
import os
import re

from PIL import Image

import pictures
from browser import Page, chromium
from place import strict_json
from program import Skip, unchanged

SECTIONS = ["Summary", "Learning curves", "Confusion matrix", "Classes", "Reliability", "Map", "Suspected wrong labels", "Outliers",
            "Clusters over time", "Where the network looks", "Everything that made the run"]


def written(place, run, *options, out="report.html"):
    """The page, and what its scripts read."""
    place.run("report", run, "--out", out, "--device", "cpu", *options)
    with open(place.path(out), encoding="utf-8") as f:
        page = f.read()
    return page, strict_json(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def simulated_run(place):
    """A training on simulated glitches, with GPS times and Gravity Spy's layout."""
    place.run("simulate", "--out", "sim.h5", "--per-class", 15, "--classes", "Blip", "Whistle", "Koi_Fish", "Scratchy", "--late-class", "Whistle:0.5")
    place.tune("--epochs", 2, data="sim.h5", out="run")
    return place.path("run")


def case_report_data(place):
    run = simulated_run(place)
    page, data = written(place, run)
    assert page.startswith("<!doctype html>") and not re.search(r'(src|href)="(?!#|data:)', page), "it needs other files"
    points, count = data["points"], 60
    for name in ("id", "label", "predicted", "probability", "part", "gps", "x", "y", "z", "cluster"):
        assert len(points[name]) == count, (name, len(points[name]))
    with open(os.path.join(run, "evaluation.json")) as f:
        evaluation = json.load(f)
    assert data["evaluation"] == evaluation and [e["epoch"] for e in data["epochs"]] == [1, 2]
    # The test part's points are those of the evaluation.
    matrix = [[0] * 4 for _ in range(4)]
    for part, label, predicted in zip(points["part"], points["label"], points["predicted"]):
        if part == "test":
            matrix[label][predicted] += 1
    assert matrix == evaluation["confusion"], (matrix, evaluation["confusion"])
    assert all(points["id"][i].startswith(data["classes"][points["label"][i]] + "/") for i in range(count))
    thumbnails = data["thumbnails"]
    assert len(thumbnails["sheets"]) == 1 and thumbnails["columns"] * thumbnails["rows"] >= count
    assert base64.b64decode(thumbnails["sheets"][0].split(",")[1]).startswith(b"\xff\xd8\xff")
    assert len(data["grad_cam"]) == 4 and len(data["suspects"]) == 20
    assert all(s["suggested"] in range(4) and s["point"] in range(count) for s in data["suspects"])
    assert data["made"]["training"]["options"]["epochs"] == 2

    # The same from features that are there already.
    place.run("features", run, "--data", "sim.h5", "--out", "f.h5", "--device", "cpu")
    _, again = written(place, run, "--features", "f.h5", out="again.html")
    for name in ("label", "predicted", "part", "gps", "x", "cluster"):
        assert again["points"][name] == points[name], name


def case_report_of_folder_without_test_part(place):
    place.tune("--test-fraction", 0, "--val-fraction", 0, out="run")
    page, data = written(place, "run")
    assert data["evaluation"] is None and data["grad_cam"] == [] and "gps" not in data["points"]
    assert len(data["points"]["id"]) == data["made"]["training"]["images"]
    if chromium():
        with Page(place.path("report.html")) as page:
            assert not page.problems, page.problems
            assert "no test part" in page.evaluate("document.getElementById('summary').textContent")


def case_report_of_few_images(place):
    data = pictures.folder(place.path("few"), [1, 2], ("a", "b"))
    place.tune("--test-fraction", 0, "--val-fraction", 0, data=data, out="run")
    _, found = written(place, "run")
    assert "x" not in found["points"] and "clusters" not in found and len(found["points"]["id"]) == 3


def case_report_bad_input(place):
    run = place.own_run()

    def refuses(code, *options, names, of=run):
        with unchanged(place.here):
            place.refuses(code, "report", of, "--device", "cpu", *options, names=names)

    refuses(66, of=place.path("gone"), names=["gone"])
    refuses(66, "--data", place.path("gone"), names=["gone"])
    place.run("report", run, "--device", "cpu")
    refuses(73, names=["report.html", "--force"])
    pictures.write(place.path("mine.html"), "mine")
    refuses(73, "--out", place.path("mine.html"), "--force", names=["mine.html"])
    refuses(74, "--out", place.path("no", "folder", "r.html"), names=["r.html"])
    place.run("report", run, "--device", "cpu", "--force")

    place.tune("--seed", 8, out="other")
    place.run("features", "other", "--data", place.data, "--out", "other.h5", "--device", "cpu")
    refuses(65, "--out", place.path("r.html"), "--features", place.path("other.h5"), names=["other.h5", "weights"])
    place.run("features", run, "--data", place.data, "--layer", "pool", "--out", "pool.h5", "--device", "cpu")
    refuses(65, "--out", place.path("r.html"), "--features", place.path("pool.h5"), names=["pool.h5", "pool"])
    with open(os.path.join(run, "evaluation.json"), "w") as f:
        f.write("{}")
    refuses(65, "--out", place.path("r.html"), names=["evaluation.json"])
    with open(os.path.join(run, "config.json")) as f:
        config = json.load(f)
    config["options"]["data"] = place.path("moved")
    with open(os.path.join(run, "config.json"), "w") as f:
        json.dump(config, f)
    refuses(66, "--out", place.path("r.html"), names=["moved", "--data"])


def case_report_names_cannot_end_the_script(place):
    data, label = place.own_data(), "<b>&amp;'<!--"
    os.rename(os.path.join(data, "blob"), os.path.join(data, label))
    os.rename(os.path.join(data, label, "g00.png"), os.path.join(data, label, "<script>alert(1)<.png"))
    place.tune(data=data, out="run")
    page, found = written(place, "run")
    assert label in found["classes"] and page.count("<script>") == 2
    if chromium():
        with Page(place.path("report.html")) as shown:
            assert not shown.problems, shown.problems
            assert shown.evaluate("document.querySelectorAll('main b').length") == 0
            assert label in shown.evaluate("document.getElementById('classes').textContent")


def colours_on(png):
    """How many pixels of a PNG have a colour, and are not grey."""
    image = Image.open(io.BytesIO(png)).convert("HSV")
    return sum(1 for _, s, v in image.getdata() if s > 100 and v > 60)


def case_report_in_browser(place):
    """What Chromium makes of it: every section, a map that is drawn, keys, filter, pictures, both themes, no network."""
    if not chromium():
        raise Skip("Chromium is not installed")
    run = simulated_run(place)
    _, data = written(place, run)
    with Page(place.path("report.html")) as page:
        count = page.evaluate
        assert not page.problems, page.problems
        assert count("[...document.querySelectorAll('h2')].map(h => h.textContent)") == SECTIONS
        assert count("document.querySelectorAll('nav a').length") == len(SECTIONS)
        assert count("document.querySelectorAll('#classes tbody tr').length") == 4
        assert count("[...document.querySelectorAll('#confusion tbody td')].map(c => +c.textContent)") == [
            n for row in data["evaluation"]["confusion"] for n in row]
        assert f"{100 * data['evaluation']['top1']:.2f} %" in count("document.getElementById('summary').textContent")
        assert count("document.querySelectorAll('#curves polyline').length") == 4
        assert count("document.querySelectorAll('#suspects li .picture').length") == 20
        assert count("document.querySelectorAll('#grad-cam img').length") == 4
        assert count("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
        unnamed = "[...document.querySelectorAll('canvas, [role=img], button, select')].filter(e => !(e.ariaLabel || e.textContent)).length"
        assert count(unnamed) == 0

        # The map, by keys alone.
        page.evaluate("document.getElementById('map').scrollIntoView(); document.querySelector('canvas').focus()")
        first = page.screenshot_of("canvas")
        assert colours_on(first) > 500, colours_on(first)
        page.key(" ")  # it stops turning
        page.key("n")
        shown = page.evaluate("document.querySelector('.shown').innerText")
        assert data["points"]["id"][0] in shown and "GPS" in shown and "part" in shown, shown
        assert "url(" in page.evaluate("document.querySelector('.shown .picture').style.backgroundImage")
        before = page.screenshot_of("canvas")
        page.key("ArrowLeft")
        assert page.screenshot_of("canvas") != before
        # Hidden classes are neither drawn nor stepped to.
        page.evaluate("[...document.querySelectorAll('#map button')].find(b => b.textContent === 'none').click()")
        assert colours_on(page.screenshot_of("canvas")) < 100
        page.evaluate("document.querySelectorAll('#map input')[2].click(); document.querySelector('canvas').focus()")
        for _ in range(3):
            page.key("n")
            shown = page.evaluate("document.querySelector('.shown').innerText")
            assert f"label {data['classes'][2]}" in shown, shown
        # The pointer finds some glitch.
        page.evaluate("document.querySelector('.shown').replaceChildren()")
        left, top, width, height = page.box("canvas")
        for i in range(40 * 40):
            page.mouse_to(left + width * (0.5 + i % 40) / 40, top + height * (0.5 + i // 40) / 40)
            if i % 40 == 39 and page.evaluate("document.querySelector('.shown .picture') !== null"):
                break
        else:
            raise AssertionError("no glitch under the pointer anywhere")
        for value in ("predicted", "cluster"):
            page.evaluate(f"(s => {{ s.value = '{value}'; s.dispatchEvent(new Event('change')); }})(document.querySelector('#map select'))")
        assert not page.problems, page.problems

        paper = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(paper)
        page.evaluate("document.getElementById('theme').click()")
        assert page.evaluate(paper) != light
    with Page(place.path("report.html"), dark=True) as page:
        assert page.evaluate(paper) != light
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with Page(place.path("report.html"), width=400) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "too wide for a narrow window"
