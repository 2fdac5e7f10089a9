"""`make reference`: write every file of the reference."""

from reference import files

for path, text in files.generated().items():
    path.write_text(text, encoding="utf-8")
