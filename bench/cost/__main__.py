"""`make cost`: rewrite the tables of docs/cost.md."""

from bench.cost import page

page.DOCUMENT.write_text(page.text(), encoding="utf-8")
