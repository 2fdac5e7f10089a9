"""`make pictures`: take the pictures of the README from the running stack."""

import tempfile
from pathlib import Path

from PIL import Image

from bench import machine

IMAGES = machine.ROOT / "docs/images"
MAX_WIDTH = 1200
FRAME_MS = (1800, 900, 3000)
MAX_BYTES = 200_000


def main() -> None:
    """Write queue.webp, and approval.webp, which moves."""
    with tempfile.TemporaryDirectory() as folder:
        taken = machine.result_of("bench.pages", "pictures", folder)
        queue = _read(Path(folder) / taken["queue"])
        first, *others = (_read(Path(folder) / name) for name in taken["frames"])
    _save(queue, "queue.webp")
    _save(first, "approval.webp", append_images=others, duration=FRAME_MS, loop=0, save_all=True)


def _read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        found = picture.convert("RGB")
    height = round(found.height * MAX_WIDTH / found.width)
    return found.resize((MAX_WIDTH, height), Image.Resampling.LANCZOS)


def _save(picture: Image.Image, name: str, **options: object) -> None:
    """Save as WebP, in the best quality that is small enough."""
    for quality in range(90, 30, -10):
        picture.save(IMAGES / name, quality=quality, method=6, **options)
        if (IMAGES / name).stat().st_size <= MAX_BYTES:
            return
    raise ValueError(f"{name} is larger than {MAX_BYTES} bytes")


if __name__ == "__main__":
    main()
