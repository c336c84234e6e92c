"""`agora where inventory`: the files of a context, found by its name alone."""

from pathlib import Path

FOLDERS = ("commerce", "tools", "agents", "prompts", "api", "workers", "evals", "tests", "bench")


def files(context: str, root: Path) -> list[str]:
    """Paths below `root` with `context` as a folder or as a file's name."""
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            if path.is_file() and "__pycache__" not in parts and (context in parts[:-1] or path.stem == context):
                found.append(str(path.relative_to(root)))
    return found
