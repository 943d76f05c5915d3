"""Files below allowed folders, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aima.adapters.files.folders import FolderFiles
from aima.errors import AimaError, Forbidden, InvalidRequest, NotFound, TooLarge


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make an allowed folder beside one that is not."""
    inside = tmp_path / "inside"
    (inside / "deep").mkdir(parents=True)
    (inside / "b.txt").write_text("b")
    (inside / "a.txt").write_text("a")
    (inside / "deep" / "c.md").write_text("c")
    (inside / "picture.png").write_bytes(b"\x89PNG")
    (inside / ".hidden.txt").write_text("h")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    return inside


def files(*roots: Path) -> FolderFiles:
    """Allow these folders."""
    return FolderFiles(roots, 1 << 20)


async def names(allowed: FolderFiles, path: str, glob: str | None = None) -> list[str]:
    """Name what is found."""
    return [str(found.name) for found in await allowed.find(path, glob)]


async def content(allowed: FolderFiles, path: str) -> bytes:
    """Read the one file of a path."""
    [found] = await allowed.find(path)
    with allowed.opened(found) as stream:
        return stream.read()


async def test_a_folder_gives_its_readable_files_in_order(root: Path) -> None:
    """Whatever order the disk has; hidden files and pictures are not meant."""
    assert await names(files(root), ".") == ["a.txt", "b.txt", "deep/c.md"]
    assert await names(files(root), "deep") == ["deep/c.md"]
    assert await names(files(root), ".", "*.t?t") == ["a.txt", "b.txt"]
    assert await names(files(root), str(root), "**/*.md") == ["deep/c.md"]


async def test_the_first_folder_that_has_it_wins(root: Path, tmp_path: Path) -> None:
    """A project's file stands before what AIMA ships."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("another")
    (other / "d.txt").write_text("d")
    assert await content(files(root, other), "a.txt") == b"a"
    assert await content(files(root, other), "d.txt") == b"d"


@pytest.mark.parametrize(
    "path",
    ["../outside/secret.txt", "deep/../../outside/secret.txt", "{outside}", "/etc/passwd", "a\0b"],
)
async def test_no_path_leads_out(root: Path, path: str) -> None:
    """However it is written."""
    with pytest.raises(Forbidden):
        await files(root).find(path.format(outside=root.parent / "outside" / "secret.txt"))


@pytest.mark.parametrize("glob", ["../*/*", "deep/../../outside/*"])
async def test_no_pattern_leads_out(root: Path, glob: str) -> None:
    """A pattern is a path too."""
    with pytest.raises(Forbidden):
        await files(root).find(".", glob)


async def test_an_absolute_pattern_is_a_mistake(root: Path) -> None:
    """It would look elsewhere."""
    with pytest.raises(InvalidRequest, match="relative"):
        await files(root).find(".", "/etc/*")


async def test_no_link_leads_out(root: Path) -> None:
    """Neither to a file, nor through a folder, nor one that a folder holds."""
    outside = root.parent / "outside"
    (root / "deep" / "file.txt").symlink_to(outside / "secret.txt")
    (root / "through").symlink_to(outside)
    for path in ("deep/file.txt", "through/secret.txt", "through", "deep"):
        with pytest.raises(Forbidden):
            await files(root).find(path)


async def test_a_link_inside_is_fine(root: Path) -> None:
    """People keep their files as they like."""
    (root / "link.txt").symlink_to("a.txt")
    assert await content(files(root), "link.txt") == b"a"


async def test_a_link_that_takes_a_files_place_is_not_followed(root: Path) -> None:
    """Between the check and the opening somebody may be quick."""
    allowed = files(root)
    [found] = await allowed.find("deep/c.md")
    (root / "deep").rename(root / "was")
    (root / "deep").symlink_to(root.parent / "outside")
    with pytest.raises(AimaError), allowed.opened(found):
        pass
    (root / "deep").unlink()
    (root / "deep").mkdir()
    (root / "deep" / "c.md").symlink_to(root.parent / "outside" / "secret.txt")
    with pytest.raises(AimaError), allowed.opened(found):
        pass


async def test_a_pipe_is_refused_and_not_waited_for(root: Path) -> None:
    """Nobody writes into it; opening it would wait for ever."""
    allowed = files(root)
    [found] = await allowed.find("a.txt")
    (root / "a.txt").unlink()
    os.mkfifo(root / "a.txt")
    with pytest.raises(InvalidRequest, match="pipe"):
        await allowed.find("a.txt")
    with pytest.raises(InvalidRequest, match="pipe"), allowed.opened(found):
        pass


async def test_what_is_not_there_is_told_with_where_it_was_looked_for(root: Path) -> None:
    """And which setting would allow more."""
    with pytest.raises(NotFound, match=r"inside.*files\.roots"):
        await files(root).find("nobody.txt")
    with pytest.raises(NotFound, match="none"):
        await files().find("a.txt")


async def test_too_many_files_are_refused(root: Path) -> None:
    """A folder of a million files is a mistake, not a request."""
    assert len(await FolderFiles((root,), 1, most_files=3).find(".")) == 3
    with pytest.raises(TooLarge, match="narrow `glob`"):
        await FolderFiles((root,), 1, most_files=2).find(".")
