"""`make cost`: write docs/cost.md anew."""

from bench.cost import page

page.DOCUMENT.write_text(page.text(), encoding="utf-8")
