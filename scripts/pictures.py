"""Take the pictures of the page that the documentation shows.

Start `trivet demo` first. Needs Playwright (`pip install playwright`) and a Chromium,
its own or the system's.

    python scripts/pictures.py [URL]
"""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
#: Width, height, pixels a point, and colours of each picture.
SCREENS = {
    "phone": (390, 844, 2, "light"),
    "car": (1280, 480, 1, "dark"),
    "desktop": (1440, 900, 1, "light"),
}
#: Parts of the page by themselves, as a phone shows them: what is pictured of them.
PARTS = {"outlook": "section.outlook", "places": "section.known-places"}


def main(url: str = "http://127.0.0.1:8321") -> None:
    """Save docs/pictures/{phone,outlook,places,car,desktop}.png of the page `url`."""
    try:
        playwright = import_module("playwright.sync_api")
    except ImportError:
        sys.exit("Playwright is not installed: pip install playwright")
    FOLDER.mkdir(parents=True, exist_ok=True)
    system = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        with playwright.sync_playwright() as p:
            browser = p.chromium.launch(
                executable_path=system, args=["--no-sandbox"] if system else []
            )
            for name, (width, height, scale, colours) in SCREENS.items():
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    device_scale_factor=scale,
                    color_scheme=colours,
                )
                page.goto(url)
                page.wait_for_selector("html[data-ready]")
                # the map glides to what it shows
                page.wait_for_timeout(1500)
                page.screenshot(path=FOLDER / f"{name}.png")
                print(f"docs/pictures/{name}.png")
                for part, where in PARTS.items() if name == "phone" else ():
                    page.locator(where).screenshot(path=FOLDER / f"{part}.png")
                    print(f"docs/pictures/{part}.png")
                page.close()
            browser.close()
    except playwright.Error as error:
        sys.exit(f"no pictures of {url}: {error.message}\nIs `trivet demo` running?")


if __name__ == "__main__":
    main(*sys.argv[1:2])
