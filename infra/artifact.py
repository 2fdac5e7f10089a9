"""The archive for Lambda, made from an installed folder.

`python -m infra.artifact FOLDER` writes FOLDER.zip, `… --describe ARCHIVE …` prints its size and
hash. A folder whose name ends with `-jwks` becomes a layer, where Lambda looks under `python/`.
"""

import hashlib
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra import aws_descriptions
from infra.aws_descriptions import OPERATIONS

READABLE_FILE = 0o100644 << 16
LAYER = "-jwks"
MB = 1_000_000

# Files that no function reads, by path; a star matches slashes too. Tests follow every import from
# the handlers, also inside functions, and check that none leads here.
EXCLUDED = (
    # For installers and type checkers. Pydantic looks for plug-ins in `dist-info`; there are none.
    *("*.dist-info/*", "bin/*", "*.pyi", "*/py.typed"),
    # cffi's compiler: the bindings of argon2 and cryptography only need `_cffi_backend`.
    *("cffi/*", "pycparser/*", "_argon2_cffi_bindings/_ffi_build.py"),
    # boto3 is only installed for botocore. The examples are documentation.
    *("boto3/*", "s3transfer/*", "botocore/data/*/examples-1.json"),
    # A copy of pydantic 1 inside pydantic 2.
    "pydantic/v1/*",
)


def pack(folder: Path) -> Path:
    """Write FOLDER.zip beside the folder, the same bytes for the same files; return its path."""
    target = folder.parent / f"{folder.name}.zip"
    root = PurePosixPath("python" if folder.name.endswith(LAYER) else "")
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name in needed(folder):
            # Without a date the entry gets 1980, so the hash depends only on the contents.
            entry = ZipInfo(str(root / name))
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = READABLE_FILE
            archive.writestr(entry, (folder / name).read_bytes())
    return target


def needed(folder: Path) -> Iterator[PurePosixPath]:
    """Yield the files of the archive, in its order."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = PurePosixPath(file.relative_to(folder).as_posix())
        if not _is_excluded(name):
            yield name


def _is_excluded(name: PurePosixPath) -> bool:
    match name.parts:
        # One of 400 services that no function calls: unpacking their descriptions takes half of a
        # cold start in the local cloud.
        case ("botocore", "data", service, _, *_) if service not in OPERATIONS:
            return True
    return any(fnmatchcase(str(name), pattern) for pattern in EXCLUDED)


def describe(archive: Path) -> str:
    """Return an archive's sizes and its hash in one line."""
    with ZipFile(archive) as files:
        unzipped = sum(entry.file_size for entry in files.infolist())
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    zipped = archive.stat().st_size
    return f"{archive}: {zipped / MB:.1f} MB, unzipped {unzipped / MB:.1f} MB, SHA-256 {digest}"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--describe", *archives]:
            print(*map(describe, map(Path, archives)), sep="\n")  # noqa: T201
        case [folder]:
            if (Path(folder) / "botocore").is_dir():
                aws_descriptions.write(Path(folder))
            pack(Path(folder))
