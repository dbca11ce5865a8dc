"""The page in a real browser: what is written is read, nothing is lost, everybody can use it."""

import re

import numpy as np
import pytest
from browsers import PHONE, axe_finds_nothing, expect, fingers_hit
from PIL import Image

import load_model
from conftest import drawn_seven, png
from digits.command_line import percent
from digits.reading import read_pictures
from digits.reading.plot import draw_readings

pytestmark = pytest.mark.slow

SEVEN = [(0.2, 0.3), (0.8, 0.3), (0.45, 0.7)]
FOUR = [[(0.2, 0.25), (0.12, 0.5), (0.85, 0.5)], [(0.66, 0.28), (0.62, 0.72)]]
TWO = [(0.28, 0.3), (0.4, 0.18), (0.6, 0.2), (0.68, 0.35), (0.55, 0.55), (0.3, 0.8), (0.75, 0.8)]
SPACE = r"\s*"  # between digits there may be wide gaps, and ends of lines
SCREENS = [(390, 844), (844, 390), (768, 1024), (1280, 800), (320, 568), (640, 400)]
DESK = {"width": 1280}
MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def open_page(open_in_chromium, address):
    def open_page(width=1000, height=800, address=address, **options):
        page = open_in_chromium(address, width, height, **options)
        page.locator("#examples button").first.wait_for()
        return page

    return open_page


@pytest.fixture
def page(open_page):
    return open_page()


def places(page, points, left=0, width=1):
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


def seven(page):
    stroke(page, SEVEN)
    assert reads(page, "7")


def forty_two(page):
    for line in FOUR:
        stroke(page, line, 0.02, 0.42)
    stroke(page, TWO, 0.42, 0.55)
    assert reads(page, "42")


def reads(page, digits):
    """Wait until the page shows these digits, as its answer to what is there now."""
    text = SPACE.join(map(re.escape, digits))
    expect(page.locator("#number")).to_have_text(re.compile(rf"^\s*{text}\s*$"))
    expect(page.locator("body")).not_to_have_class(re.compile("stale"))
    return True


def says(page, text, where="#remark"):
    expect(page.locator(where)).to_contain_text(text)
    return True


def is_chosen(page, number):
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


def picture(page, digits, *answer, **more):
    """Drop a picture to which the server answers these digits."""
    answer_with(page, digits, *answer, **more)
    give(page, seven_png())
    assert reads(page, digits)


def answer_with(page, digits, confidences=None, lines=None, piece=(), certainty=1.0):
    """Let the server answer this to any picture: `piece` may be another number of digits."""
    confidences, boxes = confidences or [0.999] * len(digits), []
    for i, (digit, confidence) in enumerate(zip(digits, confidences, strict=True)):
        probabilities = np.full(10, (1 - confidence) / 9)
        probabilities[int(digit)] = confidence
        whole = certainty if i in piece else 1.0
        box = {"box": [20 * i, 10, 15, 30], "digit": int(digit), "seen": [0] * 784}
        box |= {"confidence": confidence, "probabilities": probabilities.tolist()}
        boxes.append(box | {"certainty": whole, "unsure": confidence * whole < 0.9})
    whole = (certainty if piece else 1) * np.prod(confidences)
    runs = [[{"digits": run} for run in line.split()] for line in lines or [digits]]
    result = {"width": 700, "height": 60, "digits": digits, "lines": runs, "boxes": boxes}
    result |= {"confidence": whole, "unsure": bool(whole < 0.9), "unread": []}
    page.route("**/read", lambda route: route.fulfill(json=result))


# ---------------------------------------------------------- nothing drawn is lost


def test_undo_redo_and_clear_are_one_history(page):
    forty_two(page)
    keys = "Control+z", "Control+Shift+z", "Escape", "Delete", "Control+z"
    for key, digits in zip(keys, ("4", "42", "42", "", "42"), strict=True):
        page.keyboard.press(key)
        assert reads(page, digits)
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
    seven(page)
    give(page, (name, "", content))
    page.get_by_role("alert").get_by_text(name).wait_for()
    assert reads(page, "7")
    stroke(page, SEVEN, 0.55)
    assert reads(page, "77") and page.get_by_role("alert").is_hidden()


def see(page, script):
    """Return what a script makes of the pixels of the field."""
    pixels = """
        const paper = document.querySelector("#paper"), { width, height } = paper;
        const { data } = paper.getContext("2d").getImageData(0, 0, width, height);
    """
    return page.evaluate(f"() => {{ {pixels} {script} }}")


# The rectangle around what is inked on the field, as shares of it.
INK = """
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


def test_a_picture_stays_when_clicked_and_after_a_reload(page):
    give(page, seven_png(2))
    assert reads(page, "77")
    page.mouse.click(*places(page, [(0.75, 0.5)])[0])
    assert is_chosen(page, 1)  # a click chooses a digit
    page.reload()
    assert reads(page, "77")
    seven(page)  # a stroke begins anew
    page.keyboard.press("Control+z")
    assert reads(page, "77")


SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400">
    <rect width="400" height="400" fill="#fff"/>
    <path d="M120 100H280L180 320" fill="none" stroke="#000" stroke-width="30"/></svg>"""


@pytest.mark.parametrize(
    ("file", "way"),
    [(seven_png(), "paste"), (("seven.svg", "image/svg+xml", SVG), "drop")],
    ids=["pasted", "of a kind that only the browser opens"],
)
def test_a_picture_is_read_however_it_comes(page, file, way):
    give(page, file, way=way)
    assert reads(page, "7")


def test_a_stroke_that_leaves_the_field_does_not_shrink_it(page):
    seven(page)
    before = see(page, INK)
    stroke(page, [(0.9, 0.5), (1.6, 0.5)], 0, 1)
    page.keyboard.press("Control+z")
    assert reads(page, "7")
    page.wait_for_timeout(100)
    assert see(page, INK) == pytest.approx(before, abs=0.002)


def test_in_a_field_keys_are_for_what_is_written_there(open_page):
    page = open_page(**DESK)
    state_is(page, kept=["7/a.png"])
    seven(page)
    page.get_by_text("What is kept").click()
    for key in ("Delete", "e", "p", "Control+z", "Control+y"):
        page.get_by_label("What is written").press(key)
    assert reads(page, "7") and page.locator("#pen").get_attribute("aria-pressed") == "true"
    page.locator("#width").press("Control+z")  # a slider is no field to write in
    assert is_empty(page)


# --------------------------------------------------- it fits every screen, unmoved

SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries())
            if (!hadRecentInput) window.shifts += value;  // as CLS counts them
    }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize(
    ("width", "height"), [(320, 568), (360, 740), (390, 844), (430, 932), (844, 390)]
)
def test_nothing_moves_under_a_finger(open_page, width, height):
    page = open_page(width, height, script=SHIFTS, **PHONE)
    client = page.context.new_cdp_session(page)
    boxes = []

    def touch(kind, *points):
        points = [{"x": x, "y": y} for x, y in points]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        boxes.append(page.locator("#field").bounding_box())

    scrawl = [(0.1, 0.9), (0.3, 0.93), (0.5, 0.9), (0.2, 0.97)]  # no digit: there is most to say
    for line in (*FOUR, TWO, scrawl):
        first, *rest = places(page, line, 0.45 * (line is TWO), 0.5)
        words = page.locator("#remark").inner_text()
        touch("touchStart", first)
        for place in rest:
            touch("touchMove", place)
            page.wait_for_timeout(40)  # it reads along
        assert page.locator("#remark").inner_text() == words  # only the number changes
        touch("touchEnd")
        page.wait_for_timeout(700)  # what follows a touch at once does not count as a shift
        boxes.append(page.locator("#field").bounding_box())
    assert page.locator("#remark").inner_text() != words and page.evaluate("shifts") < 0.02
    assert page.locator("#camera").is_visible()  # a button takes a photo
    assert all(box == boxes[0] for box in boxes)


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_field_and_answer_are_in_sight_and_nothing_jumps(open_page, width, height):
    page = open_page(width, height, has_touch=width < 1000, is_mobile=width < 1000)
    parts = ["#number", "#paper", "#clear"]
    before = [page.locator(part).bounding_box() for part in parts]
    page.locator("#examples button").last.click()
    assert reads(page, "4816307")
    after = [page.locator(part).bounding_box() for part in parts]
    for part, old, new in zip(parts, before, after, strict=True):
        assert new["y"] >= 0 and new["y"] + new["height"] <= height, part
        assert new["y"] == old["y"] and new["height"] == old["height"], part
    field = after[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if height > width:
        assert field["height"] > 0.7 * field["width"]  # with the network in sight below
    else:
        assert field["width"] < 0.7 * width  # there is room beside it, to scroll
    assert fingers_hit(page, "button:visible, .tool:visible, .width:visible")


@pytest.mark.parametrize(
    ("width", "height"), [(844, 390), (932, 430), (667, 375), (1280, 720), (1920, 1080)]
)
def test_nothing_covers_what_is_below(open_page, width, height):
    page = open_page(width, height)
    page.locator("#how summary").click()
    for part in ("#inside", "#how"):
        page.locator(part).scroll_into_view_if_needed()
        box = page.locator(part).bounding_box()
        for x in (box["x"] + 5, box["x"] + box["width"] / 2, box["x"] + box["width"] - 5):
            y = min(max(box["y"], 0) + 5, height - 2)
            on_top = "([x, y, part]) => Boolean(document.elementFromPoint(x, y).closest(part))"
            assert page.evaluate(on_top, [x, y, part])


def test_labels_can_be_read_on_a_dark_photo(open_page):
    page = open_page(320, 568, color_scheme="light")
    give(page, ("dark.png", "image/png", png(drawn_seven(ink=255, paper=20))))
    assert reads(page, "7")
    label = """
        let filled = 0;
        for (let i = 0; i < data.length; i += 4)
            filled += data[i] === 37 && data[i + 1] === 99 && data[i + 2] === 168;
        return filled;
    """
    assert see(page, label) > 150  # of the accent colour, behind the digit


# -------------------------------------------------------------------- the number


LONG = "1234567890123456"


@pytest.mark.parametrize(("width", "height"), [(320, 568), (1280, 800)])
@pytest.mark.parametrize("lines", [[f"25112026 {LONG} 75", "345"], [LONG + "7890"], ["25112026"]])
def test_a_run_of_digits_is_never_broken(open_page, width, height, lines):
    page = open_page(width, height)
    runs = " ".join(lines).split()
    picture(page, "".join(runs), lines=lines)
    assert page.locator(".run").all_inner_texts() == runs
    for run in page.locator(".run").all():
        size = run.evaluate("run => parseFloat(getComputedStyle(run).fontSize)")
        assert run.bounding_box()["height"] < 1.5 * size
    tops = [row.bounding_box()["y"] for row in page.locator(".row").all()]
    assert tops == sorted(set(tops)) and len(tops) == len(lines)
    fits = "n => n.scrollWidth <= n.clientWidth && n.scrollHeight <= n.clientHeight"
    assert page.locator("#number").evaluate(fits)


@pytest.mark.parametrize(
    ("script", "lines"),  # of their own each, since all pages share the clipboard
    [(None, ["12 75", "345"]), ("delete Navigator.prototype.clipboard", ["31", "4 15"])],
    ids=["with https", "without"],
)
def test_the_number_is_copied_as_it_stands(open_page, script, lines):
    page = open_page(script=script, permissions=["clipboard-read", "clipboard-write"])
    picture(page, re.sub(r"\D", "", "".join(lines)), lines=lines)
    click(page, "Copy the number")
    page.locator("#copy.done").wait_for()
    page.evaluate("document.body.prepend(document.createElement('textarea'))")
    page.locator("textarea").press("Control+v")
    assert page.locator("textarea").input_value().rstrip("\n") == "\n".join(lines)


PAINTED = """
    window.painted = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
        painted.push(text);
        return fillText.call(this, text, ...more);
    };
"""
COPYING = {"permissions": ["clipboard-read", "clipboard-write"], "script": PAINTED}


def is_copied_and_saved(page, number):
    click(page, "Copy the number")
    page.locator("#copy.done").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == number
    assert save(page, "Save a picture").startswith(b"\x89PNG")
    assert number in page.evaluate("painted")
    return True


def test_signs_are_shown_copied_and_saved_as_the_digits_are(open_page):
    page = open_page(**COPYING)
    stroke(page, [(0.05, 0.5), (0.15, 0.51), (0.22, 0.5)], 0, 1)
    stroke(page, SEVEN, 0.25, 0.5)
    assert reads(page, f"{MINUS}7") and says(page, "sure.")
    assert page.locator(".remark.doubt").count() == 0
    color = "e => getComputedStyle(e).color"
    neutral = page.locator("#remark").evaluate(color)
    assert page.locator(".sign").evaluate(color) == neutral
    assert page.locator("#number").evaluate(color) != neutral
    assert is_copied_and_saved(page, f"{MINUS}7")


def save(page, button):
    page.locator("#share summary").click()
    with page.expect_download(timeout=60_000) as saved:
        click(page, button)
    return saved.value.path().read_bytes()


def test_a_reading_can_be_saved_as_a_film_and_escape_closes_only_the_menu(page):
    page.locator("#examples button").nth(1).click()
    assert reads(page, "2026")
    assert len(save(page, "Save a short film")) > 3_000
    page.locator("#share summary").click()
    page.keyboard.press("Escape")
    assert not page.locator("#share").evaluate("share => share.open")
    assert page.locator("#share summary").evaluate("s => s === document.activeElement")
    assert reads(page, "2026")


# -------------------------------------------------------------- digit by digit


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_thirty_digits_fit_on_a_screen_and_the_doubtful_one_is_shown(open_page, width, height):
    page = open_page(width, height)
    confidences = [0.999] * 30
    confidences[20] = 0.6
    picture(page, "123456789012345678901234567890", confidences)
    assert page.locator("#digits").bounding_box()["height"] <= height
    assert is_chosen(page, 20)
    assert page.locator(".card.doubt").all_inner_texts() == ["1?\n60.0 %"]
    page.locator(".card").nth(1).click()
    assert is_chosen(page, 1)


def on_the_field(page, number):
    page.mouse.click(*places(page, [((0.22, 0.5), (0.68, 0.3))[number]])[0])


def on_the_number(page, number):
    page.locator("#number [data-digit]").nth(number).click()


def on_a_card(page, number):
    page.locator(".card").nth(number).click()


@pytest.mark.parametrize("tap", [on_the_field, on_the_number, on_a_card])
def test_a_tap_on_a_digit_offers_its_likeliest(open_page, tap):
    page = open_page(**COPYING)
    forty_two(page)
    before = see(page, INK)
    tap(page, 0)
    assert is_chosen(page, 0) and page.locator("#choices button").count() == 3
    assert page.locator("#choices button").first.inner_text().startswith("4 ")
    page.keyboard.press("Escape")
    assert page.locator("#choices").is_hidden() and reads(page, "42") and see(page, INK) == before
    tap(page, 1)
    assert is_chosen(page, 1)
    other = page.locator("#choices b").nth(1).inner_text()
    page.locator("#choices button").nth(1).click()
    assert reads(page, f"4{other}") and says(page, f"You say 4{other}.")
    assert is_copied_and_saved(page, f"4{other}")
    page.reload()
    assert reads(page, f"4{other}")
    page.keyboard.press("Control+z")  # it is a step like any other
    assert reads(page, "42")
    tap(page, 0)
    page.get_by_label("Another digit").select_option("0")
    assert reads(page, "02")


def test_a_stroke_that_may_be_a_sign_is_asked_about(page):
    stroke(page, [(0.75, 0.15), (0.5, 0.5), (0.25, 0.85)], 0.1, 0.8)
    assert reads(page, "1") and says(page, "a 1 or a /?")
    on_a_card(page, 0)
    page.locator("#choices").get_by_text("/").click()
    assert reads(page, "/") and page.locator("#keep").is_hidden()  # only digits are learned


# ------------------------------------------------------------- it says what it is


def test_an_example_is_read_by_keyboard_alone(page):
    assert page.get_by_role("heading", level=1).inner_text()
    tab_to(page, "example")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert reads(page, "2026")
    tab_to(page, "card")
    outline = "getComputedStyle(document.activeElement)"
    assert page.evaluate(f"{outline}.outlineStyle") == "solid"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert is_chosen(page, 1)
    page.keyboard.press("Tab")  # from the first choice to the second
    page.keyboard.press("Enter")
    assert says(page, "You say 2")
    for _ in range(2):
        page.keyboard.press("Control+z")
    assert is_empty(page)


def tab_to(page, name):
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == name:
            return
    raise AssertionError(f"no {name} was reached")


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
        ("1234", [0.7, 0.6, 0.7, 0.6], (), "4 digits are in doubt"),
        ("8", [0.7], (), "an 8 or a 0?"),
        ("1" * 30, [0.99] * 30, (), "each of the 30 digits is likely"),
    ],
)
def test_the_doubt_is_named(page, digits, confidences, piece, words):
    picture(page, digits, confidences, piece=piece, certainty=0.6)
    assert says(page, words)
    doubted = sum(confidence < 0.9 or i in piece for i, confidence in enumerate(confidences))
    assert page.locator(".card.doubt").count() == doubted
    for width in (320, 360, 1280):  # all of it can be read
        page.set_viewport_size({"width": width, "height": 740})
        assert page.locator("#remark").evaluate("e => e.scrollHeight <= e.clientHeight + 1")


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


def test_once_a_pen_was_seen_a_palm_does_not_write_and_its_other_end_erases(page):
    palm, pen = line_of(1, "touch", 100), line_of(2, "pen", 200)
    page.evaluate(POINTERS, [*palm[:5], *pen, *palm[5:]])  # the palm lands before the pen
    assert reads(page, "1")
    page.evaluate(POINTERS, palm)
    page.evaluate(POINTERS, line_of(2, "pen", 300))
    assert reads(page, "11") and page.get_by_role("alert").is_hidden()
    for x in (200, 300):
        page.evaluate(POINTERS, line_of(1, "pen", x, button=5, buttons=32))
    assert is_empty(page)


def test_a_pen_draws_as_wide_as_it_is_set_and_presses(page):
    def width(**more):
        page.evaluate(POINTERS, line_of(1, "pen", 200, **more))
        reads(page, "1")
        page.wait_for_timeout(100)
        left, _, right, _ = see(page, INK)
        page.keyboard.press("Delete")
        return (right - left) * page.locator("#paper").bounding_box()["width"]

    assert width(pressure=0.9) > 1.5 * width(pressure=0.2)
    page.locator("#width").fill("40")
    page.wait_for_timeout(100)
    assert width(pressure=0) == pytest.approx(page.locator("#dot").bounding_box()["width"], abs=5)


def test_it_reads_while_the_pen_moves_and_says_only_the_end(page):
    page.evaluate("""() => {
        window.said = [];
        new MutationObserver(() => said.push(document.querySelector("#remark").textContent))
            .observe(document.querySelector("#remark"), { childList: true });
    }""")
    stroke(page, [(0.3, 0.25), (0.35, 0.25)], lift=False)
    page.wait_for_timeout(300)  # a stroke that has only begun
    for place in places(page, SEVEN[1:], 0.2, 0.4):
        page.mouse.move(*place, steps=6)
    page.wait_for_timeout(100)
    page.mouse.move(*places(page, [(0.45, 0.72)], 0.2, 0.4)[0])
    expect(page.locator("#number")).to_contain_text("7")
    assert not page.evaluate("said") and "7" not in page.locator("#spoken").inner_text()
    page.mouse.up()
    page.get_by_role("status").get_by_text("7: ").wait_for(state="attached")
    assert "sure" in page.evaluate("said")[-1]


# ------------------------------------------------------- any picture from a phone


def test_a_large_photo_is_made_smaller_and_sent_once(page, tmp_path):
    noise = np.random.default_rng(0).integers(0, 20, (3000, 3000), "uint8")
    Image.fromarray(drawn_seven(3000, 240) // 2 + 100 + noise).save(tmp_path / "7.jpg", quality=95)
    assert (tmp_path / "7.jpg").stat().st_size > 2_000_000
    sent = []
    page.on("request", lambda request: request.url.endswith("/read") and sent.append(request))
    page.set_input_files("#file", tmp_path / "7.jpg")
    assert reads(page, "7")
    (request,) = sent
    assert int(request.all_headers()["content-length"]) < 500_000


def test_an_old_answer_is_dimmed_until_the_new_one_comes_or_the_field_is_cleared(page):
    waiting = []
    page.route("**/read", lambda route: waiting.append(route))
    seven(page)
    give(page, seven_png(2))
    page.get_by_text("Reading …").wait_for()
    expect(page.locator("#number")).to_have_css("opacity", "0.4")
    assert page.locator("#number").inner_text() == "7"
    waiting.pop().continue_()
    assert reads(page, "77") and page.get_by_text("Reading …").is_hidden()
    give(page, seven_png(3))
    page.get_by_text("Reading …").wait_for()
    page.keyboard.press("Delete")
    assert is_empty(page) and page.get_by_text("Reading …").is_hidden()
    waiting.pop().continue_()
    page.wait_for_timeout(300)
    assert is_empty(page)


def test_pen_tools_rest_while_a_photo_is_there(page):
    give(page, seven_png())
    assert reads(page, "7")
    for tool in ("#pen", "#eraser", "#width"):
        assert page.locator(tool).is_disabled()
    page.keyboard.press("e")
    seven(page)  # it draws on new paper, whatever the tool was
    assert page.locator("#eraser").is_enabled()


def test_several_files_become_a_gallery_one_after_the_other(page):
    waiting = []
    page.route("**/read", lambda route: waiting.append(route))
    give(page, seven_png(1), ("no.txt", "text/plain", b"?"), seven_png(2), seven_png(3))
    pictures = page.locator("#gallery button")
    for count in (1, 3, 4):
        page.get_by_text(f"Reading {count} of 4 …").wait_for()
        assert count < 4 or pictures.all_inner_texts() == ["7", "7 7"]  # each as it comes
        page.wait_for_timeout(100)
        waiting.pop().continue_()
    page.get_by_role("alert").get_by_text("no.txt").wait_for()
    page.locator("#gallery").get_by_text(re.compile(SPACE.join("777"))).wait_for()
    assert [text.replace(" ", "") for text in pictures.all_inner_texts()] == ["7", "77", "777"]
    assert reads(page, "7")
    pictures.nth(2).click()
    assert reads(page, "777")
    page.unroute("**/read")
    page.reload()
    page.locator("#gallery").get_by_text("7").first.wait_for()
    assert pictures.count() == 3


# --------------------------------------------------------------- it can be taught


LINE = "epoch 1 of 2: loss 0.1"
TRAINING = {"line": LINE, "share": 0.5, "seconds": 7, "errors": [0.1, 0.05]}


def state_is(page, **state):
    """Let the server be in this state from now on, and people come back to the page."""
    nothing = {"training": None, "failure": None, "results": [], "learned": False}
    usual = {"folder": "own", "kept": [], "held": [], "reasons": {}, "fresh": True, "model": 0}
    usual |= {"went_back": False, "asks": False, "worse": False}
    page.unroute("**/state")
    page.route("**/state", lambda route: route.fulfill(json=nothing | usual | state))
    with page.expect_response("**/state"):
        page.evaluate("dispatchEvent(new Event('focus'))")


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


def say(page, number, digit):
    """Say what a digit is."""
    on_a_card(page, number)
    page.get_by_label("Another digit").select_option(str(digit))


def test_the_state_is_not_asked_for_while_nothing_is_learned(page):
    asked = []
    page.on("request", lambda request: request.url.endswith("/state") and asked.append(request))
    page.wait_for_timeout(4000)
    assert not asked
    state_is(page, kept=["1/a.png"], training=TRAINING)
    page.wait_for_timeout(1500)
    assert len(asked) > 1


def test_what_was_corrected_is_kept_only_when_asked_and_that_undone(page):
    asked = keeps(page)
    picture(page, "123")
    say(page, 1, 7)
    say(page, 2, 9)
    assert reads(page, "179") and not asked
    click(page, "Keep to learn from")
    assert says(page, "Kept as 179.")
    click(page, "Do not keep")
    assert says(page, "You say 179.")
    assert [answer for answer, _ in asked] == ["179", ""]
    page.route("**/keep*", lambda route: route.fulfill(status=409, json={"error": "no room"}))
    click(page, "Keep to learn from")
    page.get_by_role("alert").get_by_text("no room.").wait_for()


def test_a_drawing_is_kept_as_a_picture_and_a_picture_as_it_was_dropped(page):
    asked, (_, _, file) = keeps(page), seven_png()
    for bring in (seven, lambda page: picture(page, "7")):
        bring(page)
        say(page, 0, 1)
        click(page, "Keep to learn from")
        assert says(page, "Kept as 1.")
    assert asked[0][0] == "1" and asked[0][1].startswith(b"P5 ")
    assert asked[1] == ("1", file)


def test_a_training_is_seen_in_every_browser_and_the_drawing_read_again(page):
    kept = [f"7/{i}.png" for i in range(5)]
    give(page, seven_png())
    assert reads(page, "7")
    state_is(page, kept=kept, training=TRAINING)
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
    state_is(page, kept=["7/a.png"], learned=True, fresh=False)
    page.get_by_text("It has learned").wait_for()
    assert page.get_by_role("button", name="Learn now").is_disabled()


def test_kept_pictures_are_seen_changed_and_deleted(open_page, start_page, tmp_path):
    _, address = start_page("--port", 0, "--keep", tmp_path / "own")
    page = open_page(**DESK, address=address)
    for place in ("own", "own/.held_out"):
        seven(page)
        say(page, 0, 1)
        click(page, "Keep to learn from")
        page.locator("#kept").wait_for()
        page.locator("#kept").evaluate("kept => kept.open = true")
        image, answer = page.locator("#pictures img"), page.get_by_label("What is written")
        image.wait_for()
        assert image.evaluate("async i => (await i.decode(), i.naturalWidth)") > 50
        assert page.get_by_text("only to measure").is_visible() == ("held" in place)
        for wrong in ("seven", "", "1" * 101):
            answer.fill(wrong)
            page.keyboard.press("Enter")
            assert answer.input_value() == "1"
        answer.fill("7")
        page.keyboard.press("Enter")
        page.locator("#pictures img[src*='7/']").wait_for()
        assert [*(tmp_path / place / "7").iterdir()]
        click(page, "Delete")
        page.locator("#kept").wait_for(state="hidden")
        assert not [file for file in (tmp_path / "own").rglob("*") if file.is_file()]
        click(page, "Clear")
        page.route("**/keep*", lambda route: route.continue_(url=route.request.url + "&held=1"))


def test_the_keyboard_stays_where_it_is_and_goes_on_where_its_button_is_gone(page):
    focused = "document.activeElement.textContent"
    state_is(page, kept=["1/a.png"], learned=True)
    page.locator("#back").focus()
    state_is(page, kept=["1/a.png"], learned=True, results=["a"])
    assert page.evaluate(focused) == "Go back"
    state_is(page, kept=["1/a.png"], training=TRAINING | {"share": None, "errors": []})
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
    _, address = start_page("--port", 0, "--keep", tmp_path / "own")
    page = open_page(**DESK, address=address)
    for number, one in enumerate(ONES, 1):
        stroke(page, one, 0, 1)
        expect(page.locator("#number")).to_have_text(re.compile("[02-9]"))
        if number == len(ONES):
            break
        say(page, 0, 1)
        click(page, "Keep to learn from")
        page.get_by_text(f"{number} picture").wait_for()
        click(page, "Clear")
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


SOON = "const wait = setTimeout; setTimeout = (what, ms) => wait(what, ms === 1200 ? 50 : ms);"


def test_a_lesson_asks_for_ten_digits_twice_and_then_learns(open_page):
    page = open_page(360, 740, script=SOON, **PHONE)
    asked = keeps(page)
    page.route("**/learn", lambda route: (asked.append(("learn", b"")), route.fulfill(json={})))
    click(page, "Teach it my hand")

    def asks(digit, number, more=""):
        prompt = f"{more}Write a{'n' * (digit == 8)} {digit} · {number} of 20"
        assert says(page, prompt, "#asked")
        field, there = (page.locator(part).bounding_box() for part in ("#field", "#prompt"))
        assert there["y"] >= field["y"] >= 0 and field["y"] + field["height"] <= 740

    for number in range(20):
        digit = number % 10
        asks(digit, number + 1)
        if digit in (2, 3, 4, 5):
            click(page, "Skip")
            continue
        stroke(page, SEVEN, 0, 1)
        if digit != 7:  # what is surely another digit is asked once more, and then believed
            asks(digit, number + 1, "It looks like a 7. ")
            stroke(page, SEVEN, 0, 1)
    page.locator("#prompt").wait_for(state="hidden")
    answers = [answer for answer, _ in asked]
    digits = (0, 1, 6, 7, 8, 9)
    assert answers == [*map(str, digits), *(f"{d}&held=1" for d in digits), "learn"]


def test_in_a_lesson_a_digit_is_written_again_or_skipped(open_page):
    page = open_page(script=SOON)
    asked = keeps(page)
    click(page, "Teach it my hand")
    for _ in range(7):
        click(page, "Skip")
    stroke(page, SEVEN)
    assert says(page, "Write an 8", "#asked")
    page.locator("#again").click()
    assert says(page, "Write a 7 · 8 of 20", "#asked")
    page.mouse.click(*places(page, [(0.5, 0.5)])[0])  # a dot is none
    assert says(page, "No digit found. Write a 7", "#asked")
    click(page, "End")
    assert is_empty(page) and [answer for answer, _ in asked] == ["7", ""]


# ------------------------------------------------------------------ for everybody


LOOKS = [("light", 1280, None), ("dark", 390, None), ("light", 1280, "active")]


@pytest.mark.parametrize(("scheme", "width", "forced"), LOOKS)
def test_reading_is_for_everybody(open_page, scheme, width, forced):
    page = open_page(width, 844, color_scheme=scheme, forced_colors=forced, bypass_csp=True)
    assert axe_finds_nothing(page)
    stroke(page, [(0.05, 0.5), (0.15, 0.51), (0.22, 0.5)], 0, 1)
    stroke(page, SEVEN, 0.25, 0.5)
    assert reads(page, f"{MINUS}7")
    on_a_card(page, 0)
    page.locator("#share").evaluate("share => share.open = true")
    assert axe_finds_nothing(page) and fingers_hit(page, "#choices > *")
    page.locator("#share").evaluate("share => share.open = false")
    picture(page, "123", [0.5, 0.8, 0.99])
    assert axe_finds_nothing(page)
    click(page, "Teach it my hand")
    assert axe_finds_nothing(page) and fingers_hit(page, "#prompt button")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_teaching_is_for_everybody_too(open_page, scheme, width):
    page = open_page(width, 844, color_scheme=scheme, bypass_csp=True)
    picture(page, "123")
    say(page, 1, 7)
    for state in (
        {"held": [".held_out/1/a.png"]},
        {"training": TRAINING | {"share": None}},
        {"failure": "cannot go on", "reasons": {"7/a.png": "read as 33"}},
        {"learned": True, "asks": True, "results": ["MNIST: 31 → 33 of 10,000 wrong."]},
        {"learned": True, "went_back": True},
    ):
        state_is(page, kept=["7/a.png"], **state)
        page.locator("#kept").evaluate("kept => kept.open = true")
        assert axe_finds_nothing(page) and fingers_hit(page, ".details button:visible, #keep")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_and_doubt_are_seen_where_colours_are_forced(open_page):
    page = open_page(forced_colors="active")
    state_is(page, kept=["7/a.png"])
    picture(page, "17", [0.99, 0.6])
    colors = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert len(set(page.locator("#learn").evaluate(colors))) == 2
    assert page.locator(".card.doubt").evaluate("c => getComputedStyle(c).borderStyle") == "dashed"


def test_a_model_that_the_browser_cannot_run_reads_on_the_server(page):
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


FALSE_PIXELS = """CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) => {
    const image = new ImageData(width, height);
    image.data.forEach((_, i) => (image.data[i] = 255 * Math.random()));
    return image;
};"""


@pytest.mark.parametrize(
    "script",
    ["delete window.OffscreenCanvas; delete window.createImageBitmap", FALSE_PIXELS],
    ids=["an older Safari", "a browser that falsifies pixels"],
)
def test_other_browsers_read_too(open_page, script):
    page = open_page(script=script)
    seven(page)
    give(page, seven_png(2))
    assert reads(page, "77")


def test_a_lost_server_is_said_until_it_is_found_again(open_page, start_page):
    process, address = start_page("--port", 0)
    port = address.rstrip("/").rpartition(":")[2]
    page = open_page(address=address)
    seven(page)
    process.kill()
    process.communicate()
    stroke(page, SEVEN, 0.6)
    assert reads(page, "77")  # the model runs in the browser
    say(page, 0, 1)
    click(page, "Keep to learn from")
    page.locator("#trouble").get_by_text("does not answer").wait_for()
    page.get_by_text("The server does not answer. Photos").wait_for()
    start_page("--port", port)
    page.get_by_text("The server does not answer. Photos").wait_for(state="hidden", timeout=60_000)
    assert reads(page, "17") and "before" not in page.locator("#told").inner_text()
