"""Invented names of people, companies, towns and works, built from syllables and words.

Every inventory of stems is cut in four; one quarter is held out: training passages never use it and
three in four test names come from it, so that a reader cannot know the names by heart.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.data.demo_corpus.josa import SHAPES, particle
from kit.data.demo_corpus.templates import Draw, Source

_SURNAMES = "김이박최정강조윤장임한오서신권황안송류홍전고문손양배백허남심노하곽성차주우구민진나엄채원천방공현"
_GIVEN_FIRST = "민서지도하예준은시현유재승태다수정주연우동성경윤소가나라규미"
_GIVEN_SECOND = "준윤서현우진영희아린호민재은경수연빈율혁솔결찬람환나리온별겸"
_FOREIGN_FIRST = "마베다로카세리요토엘하알이오피보"
_FOREIGN_MIDDLE = "르라니도리멜반로비사네타"
_FOREIGN_LAST = "스노크안나드엔르토바젠린"
_FIRM_FIRST = "가누다라마벼새소아온이차초코토푸하해네모루세노비보"
_FIRM_SECOND = "람솔온울빛든름랑닉벨텍룬담결루미로델론멕"
_FIRM_KINDS = (
    "전자", "소재", "테크", "바이오", "식품", "물산", "제약", "건설", "에너지", "모빌리티", "화학",
    "금속", "로보틱스", "솔루션", "통상", "정밀",
)  # fmt: skip
_TOWN_FIRST = "서나동헌청무월금덕운벽설화단송해노석백선연갈매은"
_TOWN_SECOND = "림령율솔암담곡포봉현진당풍온학란척로"
_LAND_FIRST = (
    "벨", "타르", "오르", "마라", "카스", "엘도", "노바", "시라", "루멘", "바르", "페네", "솔", "아란",
    "도르",
)  # fmt: skip
_LAND_LAST = (
    "로니아", "반", "카나", "티스", "베르", "미아", "덴", "란드", "비아", "곤", "라스", "지아",
)  # fmt: skip
_TEAMS = (
    "호크스", "베어로즈", "라이더스", "웨일스", "팔콘스", "스톰", "썬더스", "울브스", "코멧",
    "드래곤플라이", "블레이즈",
)  # fmt: skip
_WORK_FIRST = (
    "바람이 머무는", "오래된", "사라진", "푸른", "낯선", "말없는", "늦은 오후의", "비 내리는",
    "이름 없는", "아무도 모르는", "첫눈이 오는", "느리게 걷는", "잊힌", "눈부신", "돌아오지 않는",
    "고요한", "가을이 지나간", "파도가 지운", "밤을 건너는", "불 꺼진", "우리가 두고 온", "햇살 아래",
)  # fmt: skip
_WORK_SECOND = (
    "골목", "정원", "편지", "바다", "계단", "도시", "항구", "서랍", "운동장", "언덕", "강가", "부엌",
    "창문", "기차역", "여름", "겨울 숲", "책방", "지도", "피아노", "우체통", "섬", "시장", "옥상",
    "달력",
)  # fmt: skip
_WORK_THIRD = (
    "에서 만난 사람들", "에서 보낸 하루", "의 기억", "에게 쓰는 긴 편지", "을 떠나며", "에 남은 이야기",
    "의 노래", ", 그 후", "에 대하여", "에서 우리가 나눈 이야기", "의 마지막 손님", "으로 가는 길",
)  # fmt: skip

_PARTS = 4


def _stem(draw: Draw, firsts: Sequence[str], seconds: Sequence[str]) -> str:
    """Two parts, from the pairs that this draw may use."""
    rng = draw.rng
    from_held_out = draw.held_out and rng.randrange(4) > 0
    while True:
        first, second = rng.randrange(len(firsts)), rng.randrange(len(seconds))
        # A Latin square of the pairs, so that every part is seen in training but not every pair.
        held_out = (first + second) % _PARTS == 0
        if held_out == from_held_out and firsts[first] != seconds[second]:
            return firsts[first] + seconds[second]


def person(draw: Draw) -> str:
    """A Korean full name: 김도현."""
    return draw.rng.choice(_SURNAMES) + _stem(draw, _GIVEN_FIRST, _GIVEN_SECOND)


def foreigner(draw: Draw) -> str:
    """A foreign full name in Hangul: 마르코 베니젠."""
    rng = draw.rng
    given = _stem(draw, _FOREIGN_FIRST, _FOREIGN_LAST)
    family = _stem(draw, _FOREIGN_FIRST, _FOREIGN_MIDDLE) + rng.choice(_FOREIGN_LAST)
    return f"{given} {family}"


def company(draw: Draw) -> str:
    """A company: 가람전자."""
    return _stem(draw, _FIRM_FIRST, _FIRM_SECOND) + draw.rng.choice(_FIRM_KINDS)


def town(draw: Draw) -> str:
    """A town: 서림시."""
    return _stem(draw, _TOWN_FIRST, _TOWN_SECOND) + "시"


def county(draw: Draw) -> str:
    """A county: 청암군."""
    return _stem(draw, _TOWN_FIRST, _TOWN_SECOND) + "군"


def district(draw: Draw) -> str:
    """A part of a town: 벽담동, 화포읍."""
    return _stem(draw, _TOWN_FIRST, _TOWN_SECOND) + draw.rng.choice("동읍면")


def university(draw: Draw) -> str:
    """A university: 송현대."""
    return _stem(draw, _TOWN_FIRST, _TOWN_SECOND) + "대"


def land(draw: Draw) -> str:
    """A country: 벨로니아."""
    return _stem(draw, _LAND_FIRST, _LAND_LAST)


def capital(draw: Draw) -> str:
    """A foreign city: 카르토."""
    return _stem(draw, _FOREIGN_FIRST, _FOREIGN_MIDDLE) + draw.rng.choice(_FOREIGN_LAST)


def team(draw: Draw) -> str:
    """A sports club: 가림 호크스."""
    return f"{_stem(draw, _TOWN_FIRST, _TOWN_SECOND)} {draw.rng.choice(_TEAMS)}"


def work(draw: Draw) -> str:
    """The title of a book, film or show, without its quotes: 오래된 골목에서 만난 사람들."""
    title = _stem(draw, [word + " " for word in _WORK_FIRST], _WORK_SECOND)
    if not draw.rng.randrange(3):
        return title
    rest = draw.rng.choice(_WORK_THIRD)
    base, space, words = rest.partition(" ")
    return title + (particle(title, base) if base in SHAPES else base) + space + words


def group(draw: Draw) -> str:
    """A civic group: 가람환경연대."""
    stem = _stem(draw, _FIRM_FIRST, _FIRM_SECOND)
    kind = draw.rng.choice(
        ["환경연대", "시민모임", "소비자연합", "주민협의회", "안전포럼", "교육연구소", "복지재단"]
    )
    return stem + kind


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
    for source in (person, town, district, land, team, work, recent, date, later, far, year, percent)
}
