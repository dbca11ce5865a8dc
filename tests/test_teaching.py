"""The page keeps what people correct, learns from it when asked, and never gets worse by that."""

import errno
import io
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import lessons
import numpy as np
import pytest
from PIL import Image

from conftest import ROOT, drawn_seven, hear_ctrl_c, png
from digits.data.picture_files import read_grey
from digits.model import load_model, save_model
from digits.model import quiet_keras as keras
from digits.page import kept_pictures, server, training_process
from digits.page.learner import Learner

PGM = b"P5 100 100 255\n" + drawn_seven().tobytes()  # as the page sends a drawing
GREYMAP = "image/x-portable-graymap"


@pytest.fixture
def own(tmp_path):
    """The folder in which the page keeps pictures."""
    return tmp_path / "own"


@pytest.fixture
def client(learner):
    return server.create_app(learner).test_client()


def keep(client, answer="7", picture=PGM, content_type=GREYMAP, held=None, **headers):
    query = {"answer": answer, "held": held}
    return client.post(
        "/keep", query_string=query, data=picture, content_type=content_type, headers=headers
    )


def post(client, path, **query):
    kind = "application/octet-stream"
    return client.post(path, query_string=query, data=b"", content_type=kind)


def files(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


# ------------------------------------------------------------------- keeping


def test_a_drawing_is_kept_as_png_in_a_folder_named_after_what_is_written(client, own):
    kept = keep(client, "4431").get_json()
    (name,) = files(own)
    assert kept["kept"] == [name] and kept["name"] == name
    assert re.fullmatch(r"4431/[0-9a-f]{16}\.png", name)
    assert Image.open(own / name).format == "PNG"
    assert np.array_equal(read_grey(own / name), drawn_seven())


def test_a_picture_is_kept_as_it_was_dropped(client, own, tmp_path):
    for kind in ("jpeg", "png", "gif", "tiff"):
        Image.fromarray(drawn_seven()).save(tmp_path / f"seven.{kind}")
        keep(client, picture=(tmp_path / f"seven.{kind}").read_bytes(), content_type="image/x")
        (name,) = (name for name in files(own) if name.endswith(kind))
        assert (own / name).read_bytes() == (tmp_path / f"seven.{kind}").read_bytes()


def test_a_picture_is_kept_once_with_the_last_answer(client, own):
    keep(client, "1"), keep(client, "1"), keep(client, "1", png(drawn_seven(thickness=3)))
    assert len(keep(client, "7").get_json()["kept"]) == 2
    assert [name[0] for name in files(own)] == ["1", "7"]
    keep(client, "7", png(drawn_seven(thickness=3)))
    assert sorted(os.listdir(own)) == ["7"]


def test_nothing_is_kept_unasked(client, own):
    read(client)
    client.get("/state")
    assert not own.exists()


NO_ANSWERS = "", "../..", "7/../..", "/etc", "..", ".", "seven", "4 4", "7\n", "٣", "²", "-1"


@pytest.mark.parametrize("answer", [*NO_ANSWERS, "1" * 101])
def test_an_answer_is_digits_and_nothing_else(client, own, answer):
    response = keep(client, answer)
    assert response.status_code == 409 and "digits" in response.get_json()["error"]
    assert not own.exists()


@pytest.mark.parametrize(
    ("picture", "code"),
    [(b"x" * (server.LARGEST + 1), 413), (b"#!/bin/sh", 400), (png(drawn_seven())[:60], 400)],
    ids=["too large", "no picture", "cut short"],
)
def test_what_must_not_be_kept_is_not(client, own, picture, code):
    response = keep(client, picture=picture)
    assert response.status_code == code and response.get_json()["error"]
    assert not own.exists()


@pytest.mark.parametrize(
    "path", ["/keep", "/learn", "/learn/stop", "/learn/back", "/learn/keep", "/change"]
)
def test_no_other_site_keeps_a_picture_or_starts_or_stops_a_training(client, own, path):
    def refuses(kind, **headers):
        query = {"answer": "7"}
        response = client.post(
            path, query_string=query, data=PGM, content_type=kind, headers=headers
        )
        assert response.get_json()["error"]
        return response.status_code

    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        assert refuses(GREYMAP, **headers) == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert refuses(kind) == 415
    assert client.get(path).status_code == 405
    assert not own.exists()


def test_there_is_an_end_to_how_many_are_kept(client, own, monkeypatch):
    monkeypatch.setattr(kept_pictures, "MOST", 2)
    pictures = [png(drawn_seven(thickness=thickness)) for thickness in (4, 8, 12)]

    def third_is_refused(reason):
        response = keep(client, "1", pictures[2])
        return response.status_code == 409 and reason in response.get_json()["error"]

    for picture in pictures[:2]:
        assert keep(client, "1", picture).status_code == 200
    assert third_is_refused("2 pictures")
    assert keep(client, "7", pictures[1]).status_code == 200  # another answer is no more pictures
    assert len(files(own)) == 2
    monkeypatch.setattr(kept_pictures, "MOST", 10)
    size = sum((own / name).stat().st_size for name in files(own))
    monkeypatch.setattr(kept_pictures, "MOST_BYTES", size + len(pictures[2]) - 1)
    assert third_is_refused("MB")


@pytest.mark.parametrize("where", ["flush_to_disk", "os.replace"])
def test_a_full_disk_gets_a_sentence_and_leaves_no_half_file(client, own, monkeypatch, where):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    keep(client, "1")
    with monkeypatch.context() as patch:
        patch.setattr(f"digits.page.kept_pictures.{where}", full)
        response = keep(client, "7")
    assert response.status_code == 409
    assert response.get_json()["error"] == f"cannot keep it in {own}: No space left on device"
    assert os.listdir(own) == ["1"] and len(files(own)) == 1


def test_a_folder_that_cannot_be_made_gets_a_sentence(client, own):
    own.write_text("a file is in its place")
    error = keep(client).get_json()["error"]
    assert error.startswith(f"cannot keep it in {own}: ") and "\n" not in error


def test_a_kept_picture_is_seen_changed_and_deleted(client, own):
    name = keep(client, "1").get_json()["name"]
    shown = client.get(f"/kept/{name}")
    assert shown.status_code == 200 and shown.content_type == "image/png"
    change, changed = partial(post, client, "/change"), f"7/{name[2:]}"
    assert change(name=name, answer="7").get_json()["kept"] == [changed]
    assert change(name=name, answer="7").status_code == 409  # it is somewhere else now
    assert change(name=changed, answer="seven").status_code == 409
    assert change(name=changed, answer="").get_json()["kept"] == [] and not files(own)


@pytest.mark.parametrize("name", ["../page.py", "7/../../x", ".learned/model.h5", "7/none.png"])
def test_nothing_but_kept_pictures_can_be_asked_for_or_changed(client, own, name):
    keep(client, "7")
    (own / ".learned").mkdir()
    (own / ".learned" / "model.h5").write_bytes(b"x")
    assert client.get(f"/kept/{name}").status_code == 404
    assert post(client, "/change", name=name, answer="").status_code == 409
    assert (own / ".learned" / "model.h5").exists()


def test_a_picture_that_the_browser_cannot_open_gets_a_preview(client):
    tiff = io.BytesIO()
    Image.fromarray(drawn_seven(3000)).save(tiff, "TIFF", compression="tiff_lzw")
    answer = client.post("/preview", data=tiff.getvalue(), content_type="image/tiff")
    shown = Image.open(io.BytesIO(answer.data))
    assert shown.format == "JPEG" and shown.size == (1400, 1400)


# ------------------------------------------------------------------ learning


@pytest.fixture
def pair(tmp_path):
    """A folder with a small model that takes everything for a 1."""
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    says_one = keras.Sequential(layers)
    says_one.layers[-1].set_weights([np.zeros((784, 10)), 9.0 * (np.arange(10) == 1)])
    folder = tmp_path / "pair"
    folder.mkdir()
    save_model(says_one, folder)
    return folder


@pytest.fixture
def learn_by(shipped, own, pair, monkeypatch):
    """Return a learner with this for its lesson, and a client of its page that keeps a 7."""
    clients = []
    forked = multiprocessing.get_context("fork")  # soon there, and they compute nothing
    monkeypatch.setattr(training_process.multiprocessing, "get_context", lambda _: forked)

    def learn_by(lesson, **more):
        learner = Learner(shipped, own, partial(lesson, pair=pair, **more))
        clients.append(server.create_app(learner).test_client())
        keep(clients[-1])
        return learner, clients[-1]

    yield learn_by
    for client in clients:
        post(client, "/learn/stop")
        at_its_end(client)


def state(client):
    return client.get("/state").get_json()


def at_its_end(client):
    return until(lambda: not state(client)["training"]) and state(client)


def learn(client):
    """Start a training, and return the state after its end."""
    assert post(client, "/learn").status_code == 200
    return at_its_end(client)


def until(true):
    for _ in range(500):
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came true")


def read(client):
    return client.post("/read", data=PGM, content_type=GREYMAP).get_json()["digits"]


def test_what_was_learned_reads_from_then_on_and_people_can_go_back(learn_by, own):
    _, client = learn_by(lessons.learn)
    assert read(client) == "7" and not state(client)["learned"]
    now = learn(client)
    assert now["learned"] and now["failure"] is None and now["model"] == 1
    assert now["results"] == ["MNIST: 38 → 39 of 10,000 wrong."]
    assert now["asks"] and not now["worse"] and not now["fresh"]
    assert now["reasons"] == {now["kept"][0]: "read as 33, its folder says 7"}
    assert read(client) == "1"
    assert len(client.get("/network").data) < 40_000  # the small model's
    assert load_model(own / ".learned").count_params() == 7850  # for the next start
    assert len(state(client)["kept"]) == 1
    back = post(client, "/learn/back").get_json()
    assert back["went_back"] and not back["asks"] and read(client) == "7"
    assert not post(client, "/learn/back").get_json()["went_back"] and read(client) == "1"


def test_a_model_that_got_worse_is_said_so(learn_by):
    _, client = learn_by(lessons.learn, mistakes=(38, 61))
    now = learn(client)
    assert now["worse"] and now["results"] == ["MNIST: 38 → 61 of 10,000 wrong."]
    assert not post(client, "/learn/keep").get_json()["asks"] and read(client) == "1"


def test_what_is_held_back_measures_and_is_not_learned_from(learn_by, own):
    _, client = learn_by(lessons.learn)
    held = keep(client, held="1").get_json()
    assert len(held["kept"]) == 1 and held["held"] == [held["name"]]
    now = learn(client)  # asserts that there is one picture to learn from
    assert now["results"][0] == "Your hand, what was held back: 1 → 0 of 1 right."
    assert now["worse"]  # the model that says 1 to everything


def test_what_was_learned_is_offered_after_a_restart(learn_by, shipped, own):
    _, client = learn_by(lessons.learn)
    learn(client)
    again = server.create_app(Learner(shipped, own)).test_client()
    now = state(again)
    assert now["learned"] and now["went_back"] and not now["fresh"]
    assert read(again) == "7"
    assert not post(again, "/learn/back").get_json()["went_back"] and read(again) == "1"


def test_every_training_begins_with_the_model_of_the_start(learn_by, tmp_path):
    _, client = learn_by(lessons.learn)
    sizes = []
    for _ in range(2):
        assert learn(client)["failure"] is None
        sizes.append((tmp_path / "began.txt").read_text())
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    ("lesson", "words"),
    [
        (lessons.fail, "cannot go on"),
        (lessons.crash, "MemoryError: none is left"),
        (lessons.die, "signal 9"),
        (lessons.damage, "model.h5 is no whole model file"),
        (lessons.make_nothing, "no model in"),
        (lessons.learn, "cannot write to folder"),
    ],
)
def test_a_training_that_fails_changes_nothing(learn_by, own, lesson, words):
    _, client = learn_by(lesson)
    if lesson is lessons.learn:
        (own / ".learned").write_text("a file is in its place")
    before = files(own)
    now = learn(client)
    assert words in now["failure"] and "\n" not in now["failure"]
    assert not now["learned"] and now["model"] == 0
    assert read(client) == "7" and files(own) == before
    assert post(client, "/learn/back").status_code == 409


def test_a_stopped_training_changes_nothing(learn_by, own):
    learner, client = learn_by(lessons.wait)
    before = files(own)
    post(client, "/learn")
    until(lambda: state(client)["training"]["share"] == 0.5)
    assert state(client)["training"]["errors"] == [0.1]
    training = learner._training
    post(client, "/learn/stop")
    assert at_its_end(client)["failure"] == "stopped"
    assert not training.process.is_alive() and not os.path.exists(training.place.name)
    assert read(client) == "7" and files(own) == before
    assert post(client, "/learn/stop").status_code == 200  # there is none any more
    assert keep(client, "1").get_json()["failure"] is None


def test_one_training_at_a_time_and_everybody_sees_it(learn_by):
    learner, client = learn_by(lessons.wait)
    with ThreadPoolExecutor(8) as pool:
        browsers = [server.create_app(learner).test_client() for _ in range(8)]
        codes = [answer.status_code for answer in pool.map(post, browsers, ["/learn"] * 8)]
    assert sorted(codes) == [200] + [409] * 7
    assert "already" in post(client, "/learn").get_json()["error"]
    until(lambda: state(browsers[3])["training"]["line"] == "half an hour to go")
    assert read(client) == "7"  # it reads all the while


def test_without_a_picture_there_is_nothing_to_learn(client):
    response = post(client, "/learn")
    assert response.status_code == 409 and "nothing is kept" in response.get_json()["error"]


def test_a_reading_under_way_ends_with_the_model_it_began_with(learn_by, monkeypatch):
    learner, client = learn_by(lessons.learn)
    begun, go_on, answers = threading.Event(), threading.Event(), []
    real = server.read_pictures

    def slow(model, *arguments, **options):
        begun.set()
        go_on.wait(20)
        return real(model, *arguments, **options)

    monkeypatch.setattr(server, "read_pictures", slow)
    reading = threading.Thread(target=lambda: answers.append(read(client)))
    reading.start()
    begun.wait(20)
    learner.start()
    until(lambda: learner.changes == 1)
    go_on.set()
    reading.join()
    assert answers == ["7"] and read(client) == "1"


PAGE = f"""
import sys
from functools import partial
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]

if __name__ == "__main__":
    import draw, lessons
    from digits.page import learner, training_process
    from digits.command_line import run

    # Nothing is read here, so that no model is needed.
    draw.load_model = learner.warm_up = lambda _: None
    training_process.save_model = lambda *_: None
    learner.Learner.__init__.__defaults__ = (partial(lessons.wait, pair=None),)
    sys.exit(run(draw.main))
"""


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_training_ends_with_the_page(how, tmp_path):
    (tmp_path / "page.py").write_text(PAGE)
    (tmp_path / "temporary").mkdir()
    page = subprocess.Popen(
        [sys.executable, "page.py", "--no-browser", "--model", str(ROOT), "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    address = page.stdout.readline().split()[2]
    ask(address + "keep?answer=7", PGM)
    assert ask(address + "learn")["training"]
    until((tmp_path / "pid").exists)
    pid = int(until((tmp_path / "pid").read_text))
    page.send_signal(getattr(signal, how))
    _, err = page.communicate(timeout=20)
    assert how == "SIGKILL" or (page.returncode == 0 and not err.strip())
    until(lambda: not os.path.exists(f"/proc/{pid}") and not os.listdir(tmp_path / "temporary"))


def ask(address, body=b""):
    request = urllib.request.Request(address, body, {"Content-Type": GREYMAP}, method="POST")
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)
