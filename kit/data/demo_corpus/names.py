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


def person(draw: Draw) -> str:
    """A Korean full name: 김도현."""
    return draw.rng.choice(name_parts()["surnames"]) + _stem(draw, "given_first", "given_second")


def foreigner(draw: Draw) -> str:
    """A foreign full name in Hangul: 마르코 베니젠."""
    rng = draw.rng
    given = _stem(draw, "foreign_first", "foreign_last")
    family = _stem(draw, "foreign_first", "foreign_middle") + rng.choice(name_parts()["foreign_last"])
    return f"{given} {family}"


def company(draw: Draw) -> str:
    """A company: 가람전자."""
    return _stem(draw, "firm_first", "firm_second") + draw.rng.choice(name_parts()["firm_kinds"])


def town(draw: Draw) -> str:
    """A town: 서림시."""
    return _stem(draw, "town_first", "town_second") + "시"


def county(draw: Draw) -> str:
    """A county: 청암군."""
    return _stem(draw, "town_first", "town_second") + "군"


def district(draw: Draw) -> str:
    """A part of a town: 벽담동, 화포읍."""
    return _stem(draw, "town_first", "town_second") + draw.rng.choice("동읍면")


def university(draw: Draw) -> str:
    """A university: 송현대."""
    return _stem(draw, "town_first", "town_second") + "대"


def land(draw: Draw) -> str:
    """A country: 벨로니아."""
    return _stem(draw, "land_first", "land_last")


def capital(draw: Draw) -> str:
    """A foreign city: 카르토."""
    return _stem(draw, "foreign_first", "foreign_middle") + draw.rng.choice(name_parts()["foreign_last"])


def team(draw: Draw) -> str:
    """A sports club: 가림 호크스."""
    return _stem(draw, "town_first", "town_second") + " " + draw.rng.choice(name_parts()["teams"])


def work(draw: Draw) -> str:
    """The title of a book, film or show, without its quotes: 오래된 골목에서 만난 사람들."""
    title = _stem(draw, "work_first", "work_second", between=" ")
    if not draw.rng.randrange(3):
        return title
    rest = draw.rng.choice(name_parts()["work_third"])
    base, space, words = rest.partition(" ")
    return title + (particle(title, base) if base in SHAPES else base) + space + words


def group(draw: Draw) -> str:
    """A civic group: 가람환경연대."""
    return _stem(draw, "firm_first", "firm_second") + draw.rng.choice(name_parts()["group_kinds"])


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
    source.__name__: source
    for source in (
        person, foreigner, company, town, county, district, university, land, capital, team, work, group,
        recent, date, later, far, year, percent,
    )
}  # fmt: skip
