"""How the elements of copies lie in memory, under PyTorch's names."""

from __future__ import annotations

from tensorgrad.errors import DTypeError

__all__ = ["MemoryFormat", "check_format", "contiguous_format", "preserve_format"]


class MemoryFormat:
    """How the elements of a copy lie in memory: `tg.preserve_format`, in the order of what is copied, or
    `tg.contiguous_format`, in C order. There are no others."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"tensorgrad.{self.name}"


preserve_format = MemoryFormat("preserve_format")
contiguous_format = MemoryFormat("contiguous_format")


def check_format(name: str, given: object) -> None:
    """DTypeError, which names `name`, for what is no memory format."""
    if not isinstance(given, MemoryFormat):
        known = f"{contiguous_format!r} or {preserve_format!r}"
        raise DTypeError(
            f"{name}: memory_format must be {known}, got {given!r}; tensors have no other layouts to choose"
        )
