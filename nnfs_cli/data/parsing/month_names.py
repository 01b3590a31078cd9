"""The names of months and days in the languages that dates are written in."""

from __future__ import annotations

import unicodedata

MONTHS: dict[str, tuple[str, str]] = {  # by language: the names and their short forms, from January to December
    "English": (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    ),
    "German": (
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jan feb mär apr mai jun jul aug sep okt nov dez",
    ),
    "French": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
    ),
    "Spanish": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
    ),
    "Italian": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
    ),
    "Portuguese": (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
    ),
    "Dutch": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
    ),
    "Swedish": (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "Danish": (
        "januar februar marts april maj juni juli august september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "Norwegian": (
        "januar februar mars april mai juni juli august september oktober november desember",
        "jan feb mar apr mai jun jul aug sep okt nov des",
    ),
    "Polish": (
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    ),
    "Russian": (
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
    ),
    "Turkish": (
        "ocak şubat mart nisan may\u0131s haziran temmuz ağustos eylül ekim kas\u0131m aral\u0131k",
        "oca şub mar nis may haz tem ağu eyl eki kas ara",
    ),
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MORE = {"sept": 9, "jänner": 1, "feber": 2, "fév": 2, "oct": 10, "мар": 3, "май": 5, "abri": 4}
_DAYS = (
    "mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday tues thur thurs"
    " mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag"
    " lun mar mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche"
    " lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom"
    " lunedì martedì mercoledì giovedì venerdì sabato domenica gio sab"
    " ma wo vr za zo maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"
)


def plain(name: str) -> str:
    """Return a name in lower case, without accents and the point of a short form."""
    bare = unicodedata.normalize("NFKD", name.lower().rstrip("."))
    return "".join(c for c in bare if not unicodedata.combining(c))


_NUMBERS = {
    plain(name): number
    for names in MONTHS.values()
    for spelled in names
    for number, name in enumerate(spelled.split(), 1)
} | {plain(name): number for name, number in _MORE.items()}
_DAY_NAMES = {plain(name) for name in _DAYS.split()}


def month_number(name: str) -> int | None:
    """Return the number of a month from 1 to 12 by its name or short form in any of the languages, or None.

    >>> month_number("Dec"), month_number("Février"), month_number("Monday")
    (12, 2, None)
    """
    return _NUMBERS.get(plain(name))


def is_weekday(name: str) -> bool:
    """Return whether a word is the name of a day of the week, or its short form."""
    return plain(name) in _DAY_NAMES
