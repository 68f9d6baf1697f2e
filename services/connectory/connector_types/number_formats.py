"""Numbers as people of a place write them: `1234.5; de-DE; style: currency, currency: EUR`.

The options are those of JavaScript's `Intl.NumberFormat`, as far as they say something of decimals, percent and
currencies; others have no effect.
"""

from collections.abc import Mapping
from copy import copy
from decimal import localcontext
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, get_currency_precision

DEFAULT_LOCALE: Final = "en-US"
MOST_DIGITS: Final = 20

_PRECISION: Final = 400
"""Digits of the largest float, 309, with two more as percent and all of its fraction."""


def format_number(text: str) -> str:
    """The formatted number, or what is wrong with the text."""
    number, locale, options = ([part.strip() for part in text.split(";", 2)] + ["", ""])[:3]
    try:
        value = float(number)
    except ValueError:
        return f"invalid number: '{number}'"
    try:
        return _formatted(value, Locale.parse(locale or DEFAULT_LOCALE, sep="-"), _options(options))
    except (ValueError, UnknownLocaleError) as error:
        return f"error formatting number: {error}"


def _options(text: str) -> Mapping[str, str]:
    pairs = (part.partition(":") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _formatted(value: float, locale: Locale, options: Mapping[str, str]) -> str:
    style, currency = options.get("style", "decimal"), options.get("currency", "").upper()
    pattern = _pattern(locale, style, currency)
    least, most = _fraction_digits(options, style, currency)
    pattern.frac_prec = (least, most)
    pattern.int_prec = (_digits(options, "minimumIntegerDigits", pattern.int_prec[0]), pattern.int_prec[1])
    grouped = options.get("useGrouping", "true") != "false"
    with localcontext(prec=_PRECISION):
        text: str = pattern.apply(
            value, locale, currency=currency or None, currency_digits=False, group_separator=grouped
        )
    return text


def _pattern(locale: Locale, style: str, currency: str) -> NumberPattern:
    match style:
        case "decimal":
            found = locale.decimal_formats[None]
        case "percent":
            found = locale.percent_formats[None]
        case "currency" if len(currency) == 3:
            found = locale.currency_formats["standard"]
        case "currency":
            raise ValueError("a currency is needed, as a code of three letters")
        case _:
            raise ValueError(f"the style {style} is not known")
    pattern: NumberPattern = copy(found)
    return pattern


def _fraction_digits(options: Mapping[str, str], style: str, currency: str) -> tuple[int, int]:
    usual = {"decimal": (0, 3), "percent": (0, 0)}.get(style) or (get_currency_precision(currency),) * 2
    least = _digits(
        options, "minimumFractionDigits", min(usual[0], _digits(options, "maximumFractionDigits", usual[0]))
    )
    return least, max(least, _digits(options, "maximumFractionDigits", max(usual[1], least)))


def _digits(options: Mapping[str, str], name: str, usual: int) -> int:
    digits = int(options.get(name, usual))
    if not 0 <= digits <= MOST_DIGITS:
        raise ValueError(f"{name} value is out of range.")
    return digits
