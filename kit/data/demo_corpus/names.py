"""Invented names of people, companies, towns and works, built from syllables and words.

Every inventory of stems is cut in four; one quarter is held out: training passages never use it and
three in four test names come from it, so that a reader cannot know the names by heart.
"""

from __future__ import annotations

from kit.data.demo_corpus.josa import SHAPES, particle
from kit.data.demo_corpus.passages import name_parts
from kit.data.demo_corpus.templates import Draw, Source

_PARTS = 4


def _stem(draw: Draw, first_kind: str, second_kind: str, between: str = "") -> str:
    """Two parts of these kinds, from the pairs that this draw may use."""
    rng = draw.rng
    firsts, seconds = name_parts()[first_kind], name_parts()[second_kind]
    from_held_out = draw.held_out and rng.randrange(4) > 0
    while True:
        first, second = rng.randrange(len(firsts)), rng.randrange(len(seconds))
        # A Latin square of the pairs, so that every part is seen in training but not every pair.
        held_out = (first + second) % _PARTS == 0
        if held_out == from_held_out and firsts[first] != seconds[second]:
            return firsts[first] + between + seconds[second]


def _coined(first: str, second: str, ending: str = "", kind: str = "") -> Source:
    """Draws of a stem with this *ending*, and with a part of *kind* behind it where one is named."""

    def source(draw: Draw) -> str:
        name = _stem(draw, first, second) + ending
        return name + draw.rng.choice(name_parts()[kind]) if kind else name

    return source


capital = _coined("foreign_first", "foreign_middle", kind="foreign_last")
"""A foreign city: 카르토; a foreign family name sounds like one."""


def person(draw: Draw) -> str:
    """A Korean full name: 김도현."""
    return draw.rng.choice(name_parts()["surnames"]) + _stem(draw, "given_first", "given_second")


def foreigner(draw: Draw) -> str:
    """A foreign full name in Hangul: 마르코 베니젠."""
    given = _stem(draw, "foreign_first", "foreign_last")
    return f"{given} {capital(draw)}"


def district(draw: Draw) -> str:
    """A part of a town: 벽담동, 화포읍."""
    return _stem(draw, "town_first", "town_second") + draw.rng.choice("동읍면")


def work(draw: Draw) -> str:
    """The title of a book, film or show, without its quotes: 오래된 골목에서 만난 사람들."""
    title = _stem(draw, "work_first", "work_second", between=" ")
    if not draw.rng.randrange(3):
        return title
    rest = draw.rng.choice(name_parts()["work_third"])
    base, space, words = rest.partition(" ")
    return title + (particle(title, base) if base in SHAPES else base) + space + words


def recent(draw: Draw) -> str:
    """A day just past: 지난 12일."""
    return f"{draw.rng.choice(('지난 ', '', ''))}{draw.rng.randrange(2, 31)}일"


def date(draw: Draw) -> str:
    """A day of the year: 3월 14일."""
    return f"{draw.rng.randrange(1, 13)}월 {draw.rng.randrange(1, 29)}일"


def later(draw: Draw) -> str:
    """A time to come within the year: 다음 달 2일, 오는 9월."""
    rng = draw.rng
    shape = rng.choice(
        ("다음 달 {day}일", "오는 {day}일", "오는 {month}월~ 초", "내년 {month}월", "{month}월 {day}일")
    )
    return shape.format(day=rng.randrange(2, 29), month=rng.randrange(1, 13))


def far(draw: Draw) -> str:
    """A time years ahead: 2027년 말."""
    rng = draw.rng
    return f"{rng.randrange(2024, 2036)}년~ {rng.choice(('말', '초', '상반기', '하반기', '봄', '가을'))}"


def year(draw: Draw) -> str:
    """A year past: 1998년."""
    return f"{draw.rng.randrange(1948, 2022)}년"


def percent(draw: Draw) -> str:
    """A share: 12.3%."""
    rng = draw.rng
    return (
        f"{rng.randrange(3, 90)}.{rng.randrange(1, 10)}%" if rng.randrange(2) else f"{rng.randrange(3, 95)}%"
    )


# The draws that a template may ask for by name, as ``{@date}``.
FRESH: dict[str, Source] = {
    "person": person,
    "foreigner": foreigner,
    "company": _coined("firm_first", "firm_second", kind="firm_kinds"),  # 가람전자
    "town": _coined("town_first", "town_second", "시"),  # 서림시
    "county": _coined("town_first", "town_second", "군"),  # 청암군
    "district": district,
    "university": _coined("town_first", "town_second", "대"),  # 송현대
    "land": _coined("land_first", "land_last"),  # 벨로니아
    "capital": capital,
    "team": _coined("town_first", "town_second", " ", "teams"),  # 가림 호크스
    "work": work,
    "group": _coined("firm_first", "firm_second", kind="group_kinds"),  # 가람환경연대
    "recent": recent,
    "date": date,
    "later": later,
    "far": far,
    "year": year,
    "percent": percent,
}
