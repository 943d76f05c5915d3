import errno
from pathlib import Path

import pytest

from aima.disk import sync_folder, told
from aima.errors import (
    AimaError,
    Conflict,
    ExecutionFailed,
    Forbidden,
    InsufficientResources,
    NotFound,
)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, InsufficientResources),
        (errno.EDQUOT, InsufficientResources),
        (errno.EFBIG, InsufficientResources),
        (errno.EACCES, Forbidden),
        (errno.EROFS, Forbidden),
        (errno.ENOENT, NotFound),
        (errno.ENAMETOOLONG, NotFound),
        (errno.EEXIST, Conflict),
        (errno.EIO, ExecutionFailed),
    ],
)
def test_what_the_system_refuses_is_told(number: int, kind: type[AimaError]) -> None:
    """A person needs the path and the way out, a program the code; the cause stays for the log."""
    with pytest.raises(kind) as caught, told(Path("/data/x y")):
        raise OSError(number, "refused")
    assert type(caught.value) is kind
    assert "'/data/x y'" in caught.value.message
    assert isinstance(caught.value.__cause__, OSError)


def test_other_errors_pass() -> None:
    """Only what the disk refuses is the disk's fault."""
    with pytest.raises(KeyError), told(Path("/data")):
        raise KeyError


def test_a_folder_that_is_gone_cannot_be_made_safe(tmp_path: Path) -> None:
    """A commit that is not on disk must not look as if it were."""
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "gone")
