"""Makes the pictures of the README of what `browser::pictures` has photographed: `./dev pictures`."""

from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
SHOTS = ROOT / "target" / "pictures"
DOCS = ROOT / "docs"

# In milliseconds: the first and the last frame can be read, and all between them take five seconds, however many there are.
FIRST_MS, STORY_MS, LAST_MS = 700, 5000, 2800
# Between two phones, and around them.
GAP = 36
GROUND = (232, 236, 241)


def animate():
    shots = [Image.open(path).convert("RGB") for path in sorted(SHOTS.glob("frame-*.png"))]
    between = len(shots) - 2
    lengths = [FIRST_MS, *[STORY_MS // between] * between, LAST_MS]
    path = DOCS / "dashboard.webp"
    shots[0].save(path, save_all=True, append_images=shots[1:], duration=lengths, loop=0, quality=62, method=6)
    return path


def still(image, name):
    """256 colours are enough for a page of few colours, and much lighter."""
    path = DOCS / name
    few = image.convert("RGB").quantize(colors=256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path


def phones():
    shots = [Image.open(SHOTS / f"phone-{place}.png").convert("RGB") for place in (1, 2, 3)]
    width, height = shots[0].size
    sheet = Image.new("RGB", (3 * width + 4 * GAP, height + 2 * GAP), GROUND)
    corners = Image.new("L", (width, height), 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, width - 1, height - 1), radius=28, fill=255)
    for place, shot in enumerate(shots):
        sheet.paste(shot, (GAP + place * (width + GAP), GAP), corners)
    return sheet


written = [
    animate(),
    still(Image.open(SHOTS / "live.png"), "dashboard.png"),
    still(Image.open(SHOTS / "past.png"), "past.png"),
    still(phones(), "phone.png"),
]
for path in written:
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")
