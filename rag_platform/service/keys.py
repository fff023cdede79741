"""Document keys in addresses: any name that a bucket holds, slashes and line breaks included."""

from starlette.convertors import Convertor, register_url_convertor

# Not anchored by "$" alone, which would match before a last line break and lose it.
_ANYTHING = r"(?s:.+)"


class KeyConvertor(Convertor[str]):
    """The path parameter ``{name:key}``."""

    regex = _ANYTHING

    def convert(self, value: str) -> str:
        """As it is: the server decoded it."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("key", KeyConvertor())
