"""What Lambda gets of an installed folder, zipped.

`python -m infra.artifact FOLDER` writes FOLDER.zip, `… --describe ARCHIVE …` says what they are. A
folder whose name ends with `-jwks` becomes a layer, where Lambda looks under `python/`.
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

# What no function reads, by path; a star is any part of it, slashes too. The tests follow every
# import from the handlers on, those inside of functions too, and see that none leads here.
LEFT_OUT = (
    # For installers and type checkers. Pydantic looks for plug-ins in what distributions say of
    # themselves, and finds none here.
    *("*.dist-info/*", "bin/*", "*.pyi", "*/py.typed"),
    # cffi's compiler: the bindings of argon2 and cryptography need `_cffi_backend` alone.
    *("cffi/*", "pycparser/*", "_argon2_cffi_bindings/_ffi_build.py"),
    # What brings botocore (nothing here imports more of it), and the examples of its clients.
    *("boto3/*", "s3transfer/*", "botocore/data/*/examples-1.json"),
    # The pydantic of before inside the present one.
    "pydantic/v1/*",
    # A page to try routes on, which no resolver here offers.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*",
)


def pack(folder: Path) -> Path:
    """Write FOLDER.zip beside the folder, the same bytes for the same files; return its path."""
    target = folder.parent / f"{folder.name}.zip"
    root = PurePosixPath("python" if folder.name.endswith(LAYER) else "")
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name in needed(folder):
            # A name alone is dated 1980, so that the hash is of the contents only.
            entry = ZipInfo(str(root / name))
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = READABLE_FILE
            archive.writestr(entry, (folder / name).read_bytes())
    return target


def needed(folder: Path) -> Iterator[PurePosixPath]:
    """Yield the files that the archive gets, in its order."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = PurePosixPath(file.relative_to(folder).as_posix())
        if not _is_left_out(name):
            yield name


def _is_left_out(name: PurePosixPath) -> bool:
    return _describes_another_service(name) or any(
        fnmatchcase(str(name), pattern) for pattern in LEFT_OUT
    )


def _describes_another_service(name: PurePosixPath) -> bool:
    """Tell whether a file is of a service that nothing calls, as are 400 that botocore describes.

    Unpacking these is half of a cold start in the local cloud.
    """
    match name.parts:
        case ("botocore", "data", service, _, *_):
            return service not in OPERATIONS
        case _:
            return False


def describe(archive: Path) -> str:
    """Say how large an archive is, and its hash, which is that of its contents."""
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
            if not folder.endswith(LAYER):
                aws_descriptions.write(Path(folder))
            pack(Path(folder))
