"""Free numbers."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from activation.adapters.sql.numbers import SEARCH_LIMIT, PatternInvalid
from activation.adapters.sql.store import Store
from app.access.rates import NUMBERS_PER_ADDRESS
from app.access.rights import Action, Resource
from app.http import common
from app.http.contract import Input, Output, ProblemRaised, Reply, client_address, operation
from app.http.preselection_problems import PATTERN_INVALID
from app.services import SERVICES


class NumberQuery(Input):
    """pattern: digits, `?` for one digit, `*` for any number of them."""

    pattern: Annotated[str, Field(pattern=r"^[0-9*?]{1,16}$")] = "*"
    limit: Annotated[int, Field(ge=1, le=SEARCH_LIMIT)] = 20


class FreeNumber(Output):
    msisdn: str
    region: str


class FreeNumbers(Output):
    numbers: list[FreeNumber]


@operation(
    summary="Search free numbers",
    right=(Resource.NUMBER, Action.READ),
    query=NumberQuery,
    returns={200: FreeNumbers},
    problems=(PATTERN_INVALID, common.TOO_MANY),
)
async def search_numbers(request: web.Request, query: NumberQuery) -> Reply:
    services = request.app[SERVICES]
    seconds = await services.rates.wait_for(NUMBERS_PER_ADDRESS, client_address(request))
    if seconds is not None:
        raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
    try:
        async with services.readers() as session:
            found = await Store().numbers.search(session, query.pattern, query.limit)
    except PatternInvalid:
        raise ProblemRaised(PATTERN_INVALID) from None
    numbers = [FreeNumber(msisdn=each.msisdn, region=each.region) for each in found]
    return Reply(200, FreeNumbers(numbers=numbers))


ROUTES = (web.get("/v1/numbers", search_numbers, allow_head=False),)
