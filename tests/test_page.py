"""The page in a real browser: what is written is read, nothing is lost, everybody can use it."""

import json
import re

import numpy as np
import pytest
from PIL import Image

import load_model
from conftest import drawn_seven, png
from digits.command_line import percent
from digits.reading import read_pictures
from digits.reading.plot import draw_readings

pytestmark = pytest.mark.slow

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
FOUR = [[(0.3, 0.2), (0.25, 0.55), (0.75, 0.55)], [(0.62, 0.25), (0.6, 0.85)]]
TWO = [(0.28, 0.3), (0.4, 0.18), (0.6, 0.2), (0.68, 0.35), (0.55, 0.55), (0.3, 0.8), (0.75, 0.8)]
SPACE = r"\s*"  # between digits there may be wide gaps, and ends of lines
# While nothing is learned, the page asks for the server's state every three seconds; here often.
IMPATIENT = """
    const wait = setTimeout;
    window.setTimeout = (what, time) => wait(what, time === 3000 ? 100 : time);
"""
SCREENS = [(390, 844), (844, 390), (768, 1024), (1280, 800), (320, 568), (640, 400)]


@pytest.fixture
def open_page(browser, address):
    """Open the page in a browser of its own; no mistake in its code may be left."""
    contexts, mistakes = [], []

    def open_page(width=1000, height=800, script=None, address=address, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: mistakes.append(error))
        page.add_init_script(IMPATIENT + (script or ""))
        page.goto(address)
        page.locator("#examples button").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not mistakes


@pytest.fixture
def page(open_page):
    return open_page()


def places(page, points, left, width):
    box = page.locator("#paper").bounding_box()
    return [
        (box["x"] + box["width"] * (left + width * x), box["y"] + box["height"] * y)
        for x, y in points
    ]


def stroke(page, points, left=0.2, width=0.4, lift=True):
    """Draw with the mouse; `left` and `width` are shares of the field."""
    first, *rest = places(page, points, left, width)
    page.mouse.move(*first)
    page.mouse.down()
    for place in rest:
        page.mouse.move(*place, steps=6)
    if lift:
        page.mouse.up()


def forty_two(page):
    for line in FOUR:
        stroke(page, line, 0.05, 0.35)
    stroke(page, TWO, 0.4, 0.55)
    assert reads(page, "42")


def reads(page, digits):
    """Wait until the page shows these digits, as its answer to what is there now."""
    from playwright.sync_api import expect

    expect(page.locator("#number")).to_have_text(re.compile(rf"^\s*{SPACE.join(digits)}\s*$"))
    expect(page.locator("body")).not_to_have_class(re.compile("stale"))
    return True


def says(page, text):
    from playwright.sync_api import expect

    expect(page.locator("#remark")).to_contain_text(text)
    return True


def is_chosen(page, number):
    from playwright.sync_api import expect

    expect(page.locator(".card").nth(number)).to_have_attribute("aria-pressed", "true")
    return True


def is_empty(page):
    return reads(page, "") and page.locator("#hint").is_visible()


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def give(page, *files, way="drop"):
    """Drop or paste files: (name, type, bytes)."""
    files = [(name, kind, list(content)) for name, kind, content in files]
    page.evaluate(
        """([way, files]) => {
            const transfer = new DataTransfer();
            for (const [name, type, bytes] of files)
                transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
            if (way === "drop") dispatchEvent(new DragEvent(way, { dataTransfer: transfer }));
            else dispatchEvent(new ClipboardEvent(way, { clipboardData: transfer }));
        }""",
        [way, files],
    )


def seven_png(count=1):
    return ("seven.png", "image/png", png(np.hstack([drawn_seven()] * count)))


def answer_with(page, digits, confidences=None, lines=None, piece=(), certainty=1.0):
    """Let the server answer this to any picture: `piece` may be another number of digits."""
    confidences = confidences or [0.999] * len(digits)
    certainties = [certainty if i in piece else 1.0 for i in range(len(digits))]
    boxes = [
        {
            "box": [20 * i, 10, 15, 30],
            "digit": int(digit),
            "confidence": confidence,
            "probabilities": [
                confidence if d == int(digit) else (1 - confidence) / 9 for d in range(10)
            ],
            "certainty": certainties[i],
            "unsure": confidence * certainties[i] < 0.9,
            "seen": [0] * 784,
        }
        for i, (digit, confidence) in enumerate(zip(digits, confidences, strict=True))
    ]
    whole = (certainty if piece else 1) * np.prod(confidences)
    result = {
        "width": 700,
        "height": 60,
        "digits": digits,
        "lines": [[{"digits": run} for run in line.split()] for line in (lines or [digits])],
        "confidence": whole,
        "unsure": bool(whole < 0.9),
        "boxes": boxes,
        "unread": [],
    }
    page.route("**/read", lambda route: route.fulfill(json=result))


def axe_finds_nothing(page):
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(300)  # what fades in is there
    found = Axe().run(page).response["violations"]
    assert not found, json.dumps(found, indent=1)[:3000]
    return True


def fingers_hit(page, controls):
    for control in page.locator(controls).all():
        size = control.bounding_box()
        assert size["width"] >= 44 and size["height"] >= 44, control.inner_html()
    return True


def see(page, script):
    return page.evaluate(f"() => {{ {script} }}")


# ---------------------------------------------------------- nothing drawn is lost


def test_undo_redo_and_clear_are_one_history(page):
    forty_two(page)
    page.keyboard.press("Control+z")
    assert reads(page, "4")
    page.keyboard.press("Control+Shift+z")
    assert reads(page, "42")
    page.keyboard.press("Escape")
    assert reads(page, "42")
    click(page, "Clear")
    assert is_empty(page)
    page.keyboard.press("Control+z")
    assert reads(page, "42")
    for _ in range(3):
        click(page, "Undo")
    assert is_empty(page) and page.get_by_role("button", name="Undo").is_disabled()
    for _ in range(3):
        page.keyboard.press("Control+y")
    assert reads(page, "42")


def test_what_the_eraser_took_comes_back(page):
    forty_two(page)
    click(page, "Eraser")
    stroke(page, [(0.2, 0.1), (0.8, 0.9)], 0.5, 0.35)  # across the 2
    assert reads(page, "4")
    page.keyboard.press("Control+z")
    assert reads(page, "42")
    click(page, "Pen")
    stroke(page, [(0.95, 0.1), (0.95, 0.9)], 0, 1)
    assert reads(page, "421")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", b"buy milk"), ("a.pdf", b"%PDF-1.4 1 0 obj"), ("a.png", png(drawn_seven())[:60])],
    ids=["text", "PDF", "damaged"],
)
def test_a_wrong_drop_leaves_the_field_as_it_was(page, name, content):
    stroke(page, SEVEN)
    assert reads(page, "7")
    give(page, (name, "", content))
    page.get_by_role("alert").get_by_text(name).wait_for()
    assert reads(page, "7")
    stroke(page, SEVEN, 0.55)
    assert reads(page, "77") and page.get_by_role("alert").is_hidden()


def test_reload_and_rotation_keep_it(page):
    forty_two(page)
    stroke(page, [(0.97, 0.1), (0.97, 0.9)], 0, 1)
    assert reads(page, "421")
    before = see(page, INK)
    page.reload()
    assert reads(page, "421")
    page.keyboard.press("Control+z")
    assert reads(page, "42")
    page.keyboard.press("Control+y")
    turn(page, 360, 1100)
    left, top, right, bottom = see(page, INK)
    assert 0.005 < left < right < 0.995 and 0.005 < top < bottom < 0.995
    assert right - left > 0.9  # all of it is on the narrow field
    turn(page, 1000, 800)
    assert see(page, INK) == pytest.approx(before, abs=0.01)


def turn(page, width, height):
    """Give the screen another shape, and wait until the field is painted anew."""
    page.set_viewport_size({"width": width, "height": height})
    painted = "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100)))"
    page.evaluate(f"new Promise((done) => {painted})")


# The rectangle around what is inked on the field, as shares of it.
INK = """
    const paper = document.querySelector("#paper"), { width, height } = paper;
    const { data } = paper.getContext("2d").getImageData(0, 0, width, height);
    const [x, y] = [[], []];
    for (let i = 3; i < data.length; i += 4)
        if (data[i] && data[i - 3] < 90 && data[i - 1] < 90) {
            x.push((((i - 3) / 4) % width) / width);
            y.push(Math.floor(i / 4 / width) / height);
        }
    const least = (all) => all.reduce((a, b) => Math.min(a, b));
    const most = (all) => all.reduce((a, b) => Math.max(a, b));
    return [least(x), least(y), most(x), most(y)];
"""


def test_a_picture_stays_when_clicked_and_after_a_reload(page):
    give(page, seven_png(2))
    assert reads(page, "77")
    box = page.locator("#paper").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    assert is_chosen(page, 1)  # a click chooses a digit
    page.reload()
    assert reads(page, "77")
    stroke(page, SEVEN)  # a stroke begins anew
    assert reads(page, "7")
    page.keyboard.press("Control+z")
    assert reads(page, "77")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page, way):
    give(page, seven_png(), way=way)
    assert reads(page, "7")


# ------------------------------------------------------------- it fits every screen


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_field_and_answer_are_in_sight_and_nothing_jumps(open_page, width, height):
    page = open_page(width, height, has_touch=width < 1000, is_mobile=width < 1000)
    parts = ["#number", "#remark", "#paper", "#clear"]
    before = [page.locator(part).bounding_box() for part in parts]
    page.locator("#examples button").last.click()
    assert reads(page, "4816307")
    after = [page.locator(part).bounding_box() for part in parts]
    for part, old, new in zip(parts, before, after, strict=True):
        assert new["y"] >= 0 and new["y"] + new["height"] <= height, part
        assert new["y"] == old["y"] and new["height"] == old["height"], part
    field = after[2]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if height > width:
        assert field["height"] > 0.7 * field["width"]  # with the network in sight below
    else:
        assert field["width"] < 0.7 * width  # there is room beside it, to scroll
    assert fingers_hit(page, "button:visible, .tool:visible, .width:visible")


def test_labels_can_be_read_on_a_dark_photo(open_page):
    page = open_page(320, 568, color_scheme="light")
    give(page, ("dark.png", "image/png", png(drawn_seven(ink=255, paper=20))))
    assert reads(page, "7")
    label = """
        const paper = document.querySelector("#paper"), { width, height } = paper;
        const { data } = paper.getContext("2d").getImageData(0, 0, width, height);
        let filled = 0;
        for (let i = 0; i < data.length; i += 4)
            filled += data[i] === 37 && data[i + 1] === 99 && data[i + 2] === 168;
        return filled;
    """
    assert see(page, label) > 150  # of the accent colour, behind the digit


# -------------------------------------------------------------------- the number


@pytest.mark.parametrize(("width", "height"), [(320, 568), (1280, 800)])
@pytest.mark.parametrize(
    "lines",
    [["25112026 1234567890123456 75", "345"], ["12345678901234567890"], ["25112026"]],
)
def test_a_run_of_digits_is_never_broken(open_page, width, height, lines):
    page = open_page(width, height)
    runs = " ".join(lines).split()
    answer_with(page, "".join(runs), lines=lines)
    give(page, seven_png())
    assert reads(page, "".join(runs))
    assert page.locator(".run").all_inner_texts() == runs
    for run in page.locator(".run").all():
        assert run.evaluate("run => run.getClientRects().length") == 1
    tops = [row.bounding_box()["y"] for row in page.locator(".row").all()]
    assert tops == sorted(set(tops)) and len(tops) == len(lines)
    number = page.locator("#number")
    assert number.evaluate(
        "n => n.scrollWidth <= n.clientWidth && n.scrollHeight <= n.clientHeight"
    )


@pytest.mark.parametrize("secure", [True, False])
def test_the_number_is_copied_as_it_stands(open_page, secure):
    script = None if secure else "delete Navigator.prototype.clipboard"
    page = open_page(permissions=["clipboard-read", "clipboard-write"], script=script)
    answer_with(page, "1275345", lines=["12 75", "345"])
    give(page, seven_png())
    assert reads(page, "1275345")
    click(page, "Copy the number")
    page.locator("#copy.done").wait_for()
    if not secure:
        page.evaluate(
            "document.body.prepend(Object.assign(document.createElement('textarea'), { id: 't' }))"
        )
        page.focus("#t")
        page.keyboard.press("Control+v")
        assert page.input_value("#t").split() == ["12", "75", "345"]
    else:
        assert page.evaluate("navigator.clipboard.readText()") == "12 75\n345"


# ---------------------------------------------------------------------- the cards


def test_one_digit_has_ten_bars_and_no_card(page):
    stroke(page, SEVEN)
    assert reads(page, "7")
    assert page.locator(".card").count() == 0 and page.locator(".bar").count() == 10
    assert page.locator(".bar.best").inner_text().startswith("7")
    assert page.locator("#seen").bounding_box()["width"] > 80


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_thirty_digits_fit_on_a_screen_and_the_doubtful_one_is_shown(open_page, width, height):
    page = open_page(width, height)
    confidences = [0.999] * 30
    confidences[20] = 0.6
    answer_with(page, "123456789012345678901234567890", confidences)
    give(page, seven_png())
    assert reads(page, "123456789012345678901234567890")
    cards = page.locator("#digits").bounding_box()
    chosen = page.locator(".chosen").bounding_box()
    assert chosen["y"] + chosen["height"] - cards["y"] <= height
    assert is_chosen(page, 20)
    assert page.locator(".card.doubt").all_inner_texts() == ["1?\n60.0 %"]
    page.locator(".card").nth(1).click()
    assert is_chosen(page, 1)


def test_a_click_on_a_drawn_digit_chooses_it(page):
    forty_two(page)
    before = see(page, INK)
    for place, number in (((0.22, 0.5), 0), ((0.68, 0.3), 1)):
        page.mouse.click(*places(page, [place], 0, 1)[0])
        assert is_chosen(page, number)
    assert reads(page, "42") and see(page, INK) == before


# ------------------------------------------------------------- it says what it is


def test_an_example_is_read_by_keyboard_alone(page):
    assert page.get_by_role("heading", level=1).inner_text()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "example":
            break
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert reads(page, "2026")
    page.keyboard.press("Control+z")
    assert is_empty(page)


def test_every_example_is_read_as_it_is_meant(page):
    for i, digits in enumerate(["3", "2026", "4816307"]):
        page.locator("#examples button").nth(i).click()
        assert reads(page, digits)
        page.keyboard.press("Delete")
        assert is_empty(page)


# ------------------------------------------------------------- honest confidence


@pytest.mark.parametrize(
    ("digits", "confidences", "piece", "words"),
    [
        ("7", [0.999], (), "99.9 % sure."),
        ("17", [0.999, 0.7], (), "69.9 % sure: is the 2nd a 7 or a 0?"),
        ("17", [0.999, 0.998], (0, 1), "two digits or one?"),
        ("8", [0.99], (0,), "one digit or two?"),
        ("3178", [0.99] * 4, (1, 2), "the 2nd and 3rd: two digits or one?"),
        ("123", [0.7, 0.6, 0.99], (), "the 1st and the 2nd are in doubt"),
        ("8", [0.7], (), "an 8 or a 0?"),
        ("1" * 30, [0.99] * 30, (), "each of the 30 digits is likely"),
    ],
)
def test_the_doubt_is_named(page, digits, confidences, piece, words):
    answer_with(page, digits, confidences, piece=piece, certainty=0.6)
    give(page, seven_png())
    assert says(page, words)
    assert page.locator(".card.doubt").count() == sum(
        confidence < 0.9 or i in piece
        for i, confidence in enumerate(confidences)
        if len(digits) > 1
    )


def test_page_command_line_and_plot_give_the_same_figure(page, shipped):
    image = np.hstack([drawn_seven(), drawn_seven(thickness=3), drawn_seven(thickness=15)])
    image[::3] = 255  # not too easy
    (reading,) = read_pictures(shipped, [("a.png", png(image))], keep=1)
    figure = percent(reading.confidence)
    assert figure in load_model.text_line(reading)
    texts = draw_readings([reading]).subfigs[0].texts
    assert any(figure in text.get_text() for text in texts)
    give(page, ("a.png", "image/png", png(image)))
    assert says(page, f"{figure} sure")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9994, "99.9 %"), (0.99951, ">99.9 %"), (1, ">99.9 %"), (0.5, "50.0 %"), (0, "<0.1 %")],
)
def test_nothing_is_wholly_sure(share, text):
    assert percent(share) == text


def test_an_old_answer_is_dimmed_until_the_new_one_comes(page):
    from playwright.sync_api import expect

    stroke(page, SEVEN)
    assert reads(page, "7")
    waiting = []
    page.route("**/read", lambda route: waiting.append(route))
    give(page, seven_png(2))
    page.locator("body.stale").wait_for()
    page.get_by_text("Reading …").wait_for()
    expect(page.locator("#number")).to_have_css("opacity", "0.4")
    assert page.locator("#number").inner_text() == "7"
    for route in waiting:
        route.continue_()
    assert reads(page, "77") and page.get_by_text("Reading …").is_hidden()


# -------------------------------------------------------- touch, pen and eraser

# Pointer events as a touch screen sends them: (type, id, kind, x, y[, more]).
POINTERS = """(events) => {
    const paper = document.querySelector("#paper"), box = paper.getBoundingClientRect();
    paper.setPointerCapture = () => {};  // there is nothing real to capture
    for (const [type, pointerId, pointerType, x, y, more] of events)
        paper.dispatchEvent(new PointerEvent("pointer" + type, { pointerId, pointerType, button: 0,
            isPrimary: true, pressure: 0.5, clientX: box.x + x, clientY: box.y + y, ...more }));
}"""


def line_of(pointer, kind, x, **more):
    """A stroke from top to bottom, as a 1 is written."""
    steps = [("move", pointer, kind, x + i % 2, 100 + 20 * i, more) for i in range(1, 16)]
    return [("down", pointer, kind, x, 100, more), *steps, ("up", pointer, kind, x, 400, more)]


def test_a_second_finger_takes_the_first_stroke_back(page):
    first = line_of(1, "touch", 100)
    second = ("down", 2, "touch", 300, 200, {"isPrimary": False})
    page.evaluate(POINTERS, [*first[:8], second, *first[8:]])
    assert is_empty(page)
    page.evaluate(POINTERS, [*first[:8], ("cancel", 1, "touch", 0, 0)])  # the browser zooms
    assert is_empty(page)
    page.evaluate(POINTERS, first)
    assert reads(page, "1")


def test_once_a_pen_was_seen_a_palm_does_not_write(page):
    palm, pen = line_of(1, "touch", 100), line_of(2, "pen", 200)
    page.evaluate(POINTERS, [*palm[:5], *pen, *palm[5:]])  # the palm lands before the pen
    assert reads(page, "1")
    page.evaluate(POINTERS, palm)
    page.evaluate(POINTERS, line_of(2, "pen", 300))
    assert reads(page, "11") and page.get_by_role("alert").is_hidden()


def test_the_other_end_of_a_pen_erases(page):
    page.evaluate(POINTERS, line_of(1, "pen", 200))
    assert reads(page, "1")
    page.evaluate(POINTERS, line_of(1, "pen", 200, button=5, buttons=32))
    assert is_empty(page)


def test_a_pen_that_presses_harder_draws_wider(page):
    widths = []
    for pressure in (0.2, 0.9):
        page.evaluate(POINTERS, line_of(1, "pen", 200, pressure=pressure))
        reads(page, "1")
        page.wait_for_timeout(100)
        left, _, right, _ = see(page, INK)
        widths.append(right - left)
        page.keyboard.press("Delete")
    assert widths[1] > 1.5 * widths[0]


def test_the_width_of_the_pen_is_previewed(page):
    page.locator("#width").fill("40")
    page.wait_for_timeout(100)
    dot = page.locator("#dot").bounding_box()["width"]
    page.evaluate(POINTERS, line_of(1, "touch", 200))
    page.wait_for_timeout(100)
    left, _, right, _ = see(page, INK)
    assert (right - left) * page.locator("#paper").bounding_box()["width"] == pytest.approx(
        dot, abs=5
    )


def test_it_reads_while_the_pen_moves_and_says_only_the_end(page):
    stroke(page, SEVEN, lift=False)
    for i in range(400):
        page.mouse.move(*places(page, [(0.45, 0.8 + 0.00005 * i)], 0.2, 0.4)[0])
        page.wait_for_timeout(20)
        if "7" in page.locator("#number").inner_text():
            break
    assert "7" in page.locator("#number").inner_text()
    assert "7" not in page.locator("#spoken").inner_text()
    page.mouse.up()
    page.get_by_role("status").get_by_text("7: ").wait_for(state="attached")


# ------------------------------------------------------- any picture from a phone


def test_a_large_photo_is_made_smaller_before_it_is_sent(page, tmp_path):
    noise = np.random.default_rng(0).integers(0, 20, (3000, 3000), "uint8")
    Image.fromarray(drawn_seven(3000, 240) // 2 + 100 + noise).save(tmp_path / "7.jpg", quality=95)
    assert (tmp_path / "7.jpg").stat().st_size > 2_000_000
    with page.expect_response("**/read", timeout=60_000) as answer:
        page.set_input_files("#file", tmp_path / "7.jpg")
    assert reads(page, "7")
    assert int(answer.value.request.all_headers()["content-length"]) < 500_000


def test_pen_tools_rest_while_a_photo_is_there(page):
    give(page, seven_png())
    assert reads(page, "7")
    for tool in ("#pen", "#eraser", "#width"):
        assert page.locator(tool).is_disabled()
    page.keyboard.press("e")
    stroke(page, SEVEN)  # it draws on new paper, whatever the tool was
    assert reads(page, "7") and page.locator("#eraser").is_enabled()


def test_a_kind_that_only_the_browser_opens_is_read(page):
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400">
        <rect width="400" height="400" fill="#fff"/>
        <path d="M120 100H280L180 320" fill="none" stroke="#000" stroke-width="30"/></svg>"""
    give(page, ("seven.svg", "image/svg+xml", svg))
    assert reads(page, "7")


def test_several_files_become_a_gallery(page):
    give(page, seven_png(1), ("no.txt", "text/plain", b"?"), seven_png(2), seven_png(3))
    page.get_by_role("alert").get_by_text("no.txt").wait_for()
    pictures = page.locator("#gallery button")
    page.locator("#gallery").get_by_text(re.compile(SPACE.join("777"))).wait_for()
    texts = pictures.all_inner_texts()
    assert [text.replace(" ", "") for text in texts] == ["7", "77", "777"]
    assert reads(page, "7")
    pictures.nth(2).click()
    assert reads(page, "777")
    page.reload()
    page.locator("#gallery").get_by_text("7").first.wait_for()
    assert pictures.count() == 3


def test_a_phone_has_a_button_for_its_camera(open_page):
    camera = open_page(390, 844, has_touch=True, is_mobile=True).locator("#camera")
    assert camera.is_visible() and camera.get_attribute("capture") == "environment"


# --------------------------------------------------------------- it can be taught


def state_is(page, **state):
    """Let the server be in this state from now on, and wait until the page has seen it."""
    nothing = {"training": None, "failure": None, "results": [], "learned": False}
    usual = {"folder": "own", "kept": [], "reasons": {}, "fresh": True, "model": 0}
    usual |= {"went_back": False, "asks": False, "worse": False}
    page.unroute("**/state")
    page.route("**/state", lambda route: route.fulfill(json=nothing | usual | state))
    with page.expect_response("**/state"):
        pass


def keeps(page):
    """Let the server only seem to keep; return what it is asked to: (answer, picture)."""
    asked = []

    def answer(route):
        asked.append((route.request.url.partition("answer=")[2], route.request.post_data_buffer))
        route.fulfill(json={"name": f"{asked[-1][0]}/a.png"})

    page.route("**/keep*", answer)
    page.route("**/change*", answer)
    state_is(page, kept=["1/a.png"])
    return asked


def say(page, digit):
    page.locator(".bar").nth(digit).click()


def test_a_wrong_digit_is_corrected_by_a_tap_and_that_undone(page):
    asked = keeps(page)
    answer_with(page, "123")
    give(page, seven_png())
    assert reads(page, "123")
    page.locator(".card").nth(1).click()
    say(page, 7)
    page.get_by_text("Kept as 173").wait_for()
    page.locator(".card").nth(2).click()
    say(page, 9)
    page.get_by_text("Kept as 179").wait_for()
    click(page, "Undo the correction")
    page.get_by_text("Not right?").wait_for()
    assert [answer for answer, _ in asked] == ["173", "179", ""]


def test_a_drawing_is_kept_as_a_picture(page):
    asked = keeps(page)
    stroke(page, SEVEN)
    assert reads(page, "7")
    say(page, 1)
    page.get_by_text("Kept as 1").wait_for()
    assert asked[0][0] == "1" and asked[0][1].startswith(b"P5 ")


def test_a_dropped_picture_is_kept_as_it_was_dropped(page):
    asked, (_, _, file) = keeps(page), seven_png()
    give(page, seven_png())
    assert reads(page, "7")
    say(page, 1)
    page.get_by_text("Kept as 1").wait_for()
    assert asked == [("1", file)]


def test_why_it_could_not_be_kept_is_said(page):
    page.route("**/keep*", lambda route: route.fulfill(status=409, json={"error": "no room"}))
    stroke(page, SEVEN)
    assert reads(page, "7")
    say(page, 1)
    page.get_by_role("alert").get_by_text("no room.").wait_for()


def test_a_training_is_seen_in_every_browser_and_the_drawing_read_again(page):
    training = {"line": "epoch 1 of 2: loss 0.1", "share": 0.5, "seconds": 7, "errors": [0.1, 0.05]}
    kept = [f"7/{i}.png" for i in range(5)]
    give(page, seven_png())
    assert reads(page, "7")
    state_is(page, kept=kept, training=training)
    page.get_by_text("Learning from 5 pictures.").wait_for()
    assert page.get_by_role("progressbar").get_attribute("value") == "0.5"
    assert page.locator("#curve polyline").get_attribute("points").count(",") == 2
    assert page.locator("#learn").is_hidden() and page.locator("#stop").is_visible()
    answer_with(page, "1")
    state_is(page, kept=kept, model=1, learned=True)
    assert reads(page, "1")
    page.get_by_role("status").get_by_text("Read as 7 before, as 1 now.").wait_for()
    assert page.get_by_role("button", name="Go back").is_visible()
    state_is(page, kept=kept, failure="no digit to learn from")
    page.get_by_text("Learning failed, and nothing has changed: no digit to learn").wait_for()


@pytest.mark.parametrize(("worse", "main"), [(False, "Keep it"), (True, "Go back")])
def test_people_decide_and_what_got_worse_is_said(page, worse, main):
    results = ["MNIST: 31 → 61 of 10,000 wrong."]
    state_is(page, kept=["7/a.png"], learned=True, asks=True, worse=worse, results=results)
    page.get_by_text("31 → 61").wait_for()
    assert page.get_by_text("It got worse").is_visible() == worse
    assert page.locator("#learning .main:visible").all_inner_texts() == [main]


def test_learn_now_rests_when_nothing_is_new(page):
    state_is(page, kept=["7/a.png"], learned=True, fresh=False)
    page.get_by_text("nothing new").or_(page.get_by_text("It has learned")).first.wait_for()
    assert page.get_by_role("button", name="Learn now").is_disabled()


def test_kept_pictures_are_seen_changed_and_deleted(open_page, start_page, tmp_path):
    _, address = start_page("--port", 0, "--keep", tmp_path / "own")
    page = open_page(1280, 800, address=address)
    stroke(page, SEVEN)
    assert reads(page, "7")
    say(page, 1)
    page.get_by_text("1 picture kept").wait_for()
    page.get_by_text("What is kept").click()
    image = page.locator("#pictures img")
    image.wait_for()
    assert image.evaluate("async i => (await i.decode(), i.naturalWidth)") > 50
    page.get_by_label("What is written").fill("7")
    page.keyboard.press("Enter")
    page.locator("#pictures img[src*='7/']").wait_for()
    click(page, "Delete")
    page.get_by_text("It can learn your hand").wait_for()
    assert not [file for file in (tmp_path / "own").rglob("*") if file.is_file()]


def test_the_keyboard_stays_where_it_is_and_goes_on_where_its_button_is_gone(page):
    training = {"line": "", "share": None, "seconds": 0, "errors": []}
    focused = "document.activeElement.textContent"
    state_is(page, kept=["1/a.png"], learned=True)
    page.locator("#back").focus()
    state_is(page, kept=["1/a.png"], learned=True, results=["a"])
    assert page.evaluate(focused) == "Go back"
    state_is(page, kept=["1/a.png"], training=training)
    page.get_by_text("Learning from 1 picture.").wait_for()
    assert page.evaluate(focused) == "Stop"


# A 1 as it is written in much of Europe, with a long upstroke; by hand, so never twice the same.
ONES = [
    [(0.4, 0.6), (0.4, 0.42), (0.43, 0.28), (0.5, 0.19), (0.62, 0.15), (0.38, 0.85)],
    [(0.39, 0.6), (0.4, 0.4), (0.44, 0.26), (0.52, 0.17), (0.63, 0.14), (0.38, 0.86)],
    [(0.41, 0.58), (0.41, 0.42), (0.44, 0.29), (0.5, 0.2), (0.61, 0.16), (0.39, 0.84)],
    [(0.4, 0.61), (0.4, 0.43), (0.43, 0.27), (0.5, 0.18), (0.62, 0.13), (0.37, 0.85)],
    [(0.38, 0.59), (0.39, 0.4), (0.43, 0.26), (0.51, 0.17), (0.62, 0.15), (0.37, 0.84)],
    [(0.4, 0.59), (0.41, 0.41), (0.44, 0.27), (0.52, 0.18), (0.63, 0.15), (0.39, 0.86)],
]


def test_somebodys_one_is_corrected_five_times_learned_and_read_right(
    open_page, start_page, tmp_path, digits
):
    from playwright.sync_api import expect

    _, address = start_page("--port", 0, "--keep", tmp_path / "own")
    page = open_page(1280, 800, address=address)
    for number, one in enumerate(ONES[:5], 1):
        stroke(page, one, 0, 1)
        expect(page.locator("#number")).to_have_text(re.compile("[02-9]"))
        say(page, 1)
        page.get_by_text(f"{number} picture").wait_for()
        click(page, "Clear")
    stroke(page, ONES[5], 0, 1)
    expect(page.locator("#number")).to_have_text(re.compile("[02-9]"))
    before = page.locator("#number").inner_text()
    click(page, "Learn now")
    page.get_by_role("progressbar").wait_for()
    page.get_by_role("button", name="Go back").wait_for(timeout=600_000)
    assert reads(page, "1")
    click(page, "Go back")
    assert reads(page, before)
    click(page, "Use what it learned")
    page.reload()
    assert reads(page, "1")


def test_a_lesson_asks_for_ten_digits_twice_and_then_learns(open_page):
    soon = IMPATIENT.replace("3000 ? 100", "1200 ? 50")
    page = open_page(1280, 800, script=f"{{{soon}}}")
    asked = keeps(page)
    page.route("**/learn", lambda route: (asked.append(("learn", b"")), route.fulfill(json={})))
    click(page, "Teach it my hand")
    for number in range(20):
        page.get_by_text(f"Write a {number % 10}").wait_for()
        stroke(page, SEVEN)
        page.locator("#hint").wait_for()
    page.get_by_role("button", name="Teach it my hand").wait_for()
    answers = [answer for answer, _ in asked]
    assert answers[:20] == [*map(str, range(10)), *(f"{d}&held=1" for d in range(10))]
    assert answers[20:] == ["learn"]


# ------------------------------------------------------------------ for everybody


LOOKS = [("light", 1280, None), ("dark", 390, None), ("light", 1280, "active")]


@pytest.mark.parametrize(("scheme", "width", "forced"), LOOKS)
def test_reading_is_for_everybody(open_page, scheme, width, forced):
    page = open_page(width, 844, color_scheme=scheme, forced_colors=forced, bypass_csp=True)
    assert axe_finds_nothing(page)
    page.locator("#examples button").last.click()
    page.locator(".card").first.wait_for()
    page.locator("#share").evaluate("share => share.open = true")
    assert axe_finds_nothing(page)
    page.locator("#share").evaluate("share => share.open = false")
    answer_with(page, "123", [0.5, 0.8, 0.99])
    give(page, seven_png())
    assert reads(page, "123") and axe_finds_nothing(page)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_teaching_is_for_everybody_too(open_page, scheme, width):
    page = open_page(width, 844, color_scheme=scheme, bypass_csp=True)
    answer_with(page, "123")
    give(page, seven_png())
    assert reads(page, "123")
    training = {"line": "epoch 1 of 2: loss 0.1", "share": None, "seconds": 7, "errors": [0.1]}
    for state in (
        {},
        {"training": training},
        {"failure": "cannot go on", "reasons": {"7/a.png": "read as 33"}},
        {"learned": True, "asks": True, "results": ["MNIST: 31 → 33 of 10,000 wrong."]},
        {"learned": True, "went_back": True},
    ):
        state_is(page, kept=["7/a.png"], **state)
        page.locator("#kept").evaluate("kept => kept.open = true")
        assert axe_finds_nothing(page) and fingers_hit(page, ".details button:visible")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_and_doubt_are_seen_where_colours_are_forced(open_page):
    page = open_page(forced_colors="active")
    state_is(page, kept=["7/a.png"])
    answer_with(page, "17", [0.99, 0.6])
    give(page, seven_png())
    assert reads(page, "17")
    colors = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert len(set(page.locator("#learn").evaluate(colors))) == 2
    track = "bar => getComputedStyle(bar).backgroundColor"
    bar = page.locator(".bar.best")
    assert bar.evaluate(track) != bar.locator(".track").evaluate(track)
    assert page.locator(".card.doubt").evaluate("c => getComputedStyle(c).borderStyle") == "dashed"


def test_the_keyboard_is_seen_on_a_card(page):
    page.locator("#examples button").nth(1).click()
    assert reads(page, "2026")
    page.locator("#clear").focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('card')"):
            break
    outline = "getComputedStyle(document.activeElement)"
    assert page.evaluate(f"{outline}.outlineStyle") == "solid"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert is_chosen(page, 1)


SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries())
            if (!hadRecentInput) window.shifts += value;  // as CLS counts them
    }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720)])
def test_nothing_jumps_when_the_answer_comes(open_page, width, height):
    page = open_page(width, height, script=SHIFTS)
    page.wait_for_timeout(500)
    for line in FOUR:
        stroke(page, line, 0.05, 0.9)
    assert reads(page, "4")
    page.wait_for_timeout(800)  # what follows a click does not count
    assert page.evaluate("shifts") < 0.02


def test_a_stroke_that_leaves_the_field_does_not_shrink_it(page):
    stroke(page, SEVEN)
    before = see(page, INK)
    stroke(page, [(0.9, 0.5), (1.6, 0.5)], 0, 1)
    page.keyboard.press("Control+z")
    assert reads(page, "7")
    page.wait_for_timeout(100)
    assert see(page, INK) == pytest.approx(before, abs=0.002)


def test_a_stroke_that_has_only_begun_is_not_called_no_digit(page):
    said = """
        window.said = [];
        new MutationObserver(() => said.push(document.querySelector("#remark").textContent))
            .observe(document.querySelector("#remark"), { childList: true });
    """
    see(page, said)
    stroke(page, [(0.3, 0.25), (0.35, 0.25)], lift=False)
    page.wait_for_timeout(300)
    for place in places(page, [(0.7, 0.25), (0.45, 0.8)], 0.2, 0.4):
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    assert reads(page, "7")
    assert "No digit found." not in page.evaluate("said")


@pytest.mark.parametrize(
    ("button", "start"), [("Save a picture", b"\x89PNG"), ("Save a short film", b"")]
)
def test_a_reading_can_be_saved(page, button, start, tmp_path):
    page.locator("#examples button").nth(1).click()
    assert reads(page, "2026")
    page.locator("#share summary").click()
    with page.expect_download(timeout=60_000) as saved:
        click(page, button)
    saved.value.save_as(tmp_path / "saved")
    content = (tmp_path / "saved").read_bytes()
    assert content.startswith(start) and len(content) > 3_000


def test_a_model_that_the_browser_cannot_run_reads_on_the_server(page):
    from playwright.sync_api import expect

    page.route("**/network", lambda route: route.fulfill(body=b""))
    page.reload()
    with page.expect_request("**/predict"):
        stroke(page, SEVEN)
    assert reads(page, "7")
    expect(page.locator("#inside")).to_be_hidden()


def test_a_drawing_sends_nothing(page):
    sent = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    forty_two(page)
    assert not sent


def test_nothing_moves_for_who_asked_for_that(open_page):
    page = open_page(reduced_motion="reduce")
    assert page.locator("#number").evaluate("n => getComputedStyle(n).transition") in (
        "none",
        "none 0s ease 0s",
        "none 0s",
    )


def test_an_older_safari_reads_too(open_page):
    page = open_page(script="delete window.OffscreenCanvas; delete window.createImageBitmap")
    stroke(page, SEVEN)
    assert reads(page, "7")
    give(page, seven_png(2))
    assert reads(page, "77")


def test_a_browser_that_falsifies_pixels_reads_too(open_page):
    page = open_page(
        script="""CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) => {
            const image = new ImageData(width, height);
            image.data.forEach((_, i) => (image.data[i] = 255 * Math.random()));
            return image;
        };"""
    )
    stroke(page, SEVEN)
    assert reads(page, "7")


def test_a_lost_server_is_said_until_it_is_found_again(browser, start_page):
    process, address = start_page("--port", 0)
    port = address.rstrip("/").rpartition(":")[2]
    page = browser.new_page()
    page.goto(address)
    stroke(page, SEVEN)
    assert reads(page, "7")
    process.kill()
    process.communicate()
    page.get_by_text("The server does not answer. Photos").wait_for()
    stroke(page, SEVEN, 0.6)
    assert reads(page, "77")  # the model runs in the browser
    assert page.get_by_text("The server does not answer. Photos").is_visible()
    say(page, 1)
    page.locator("#refused").get_by_text("does not answer").wait_for()
    start_page("--port", port)
    page.get_by_text("The server does not answer. Photos").wait_for(state="hidden")
    assert reads(page, "77") and "before" not in page.locator("#told").inner_text()
    page.close()
