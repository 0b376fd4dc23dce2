"""Accounts of staff, made and ended by an operator."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from activation.ids import StaffId
from app.access.passwords import MAX_LENGTH, MIN_LENGTH, PasswordsBusy
from app.access.principals import Role
from app.access.rights import Action, Resource
from app.access.staff import AccountRefusal, NewAccount
from app.http.common import BUSY, NOT_FOUND
from app.http.contract import Input, Output, ProblemRaised, ProblemType, Reply, operation, staff_member
from app.services import SERVICES
from app.tables import StaffRow
from app.texts.text import Text

ACCOUNT_REFUSED = ProblemType(
    "account_refused",
    422,
    Text("账号未创建", "The account was not made"),
    Text("请检查填写的内容。", "Check what was given."),
)
NAME_TAKEN = ProblemType(
    "username_taken",
    409,
    Text("用户名已被使用", "The user name is taken"),
    Text("请换一个用户名。", "Choose another one."),
)
OWN_ACCOUNT = ProblemType(
    "own_account",
    409,
    Text("不能注销自己的账号", "Your own account"),
    Text("请由另一位运营人员注销。", "Another operator has to end it."),
)
_ACCOUNT_TEXTS = {
    AccountRefusal.PASSWORD_WEAK: Text(
        f"密码须为 {MIN_LENGTH} 至 {MAX_LENGTH} 个字符，不能过于简单或包含用户名。",
        f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters, enough different ones, without the name.",
    ),
    AccountRefusal.CARRIER_WANTED: Text(
        "派送员须填写承运商，其他角色不能填写。", "A courier has a carrier; nobody else has."
    ),
    AccountRefusal.CARRIER_UNKNOWN: Text(
        "没有此承运商；该派送员将收不到包裹。",
        "No parcels go to this carrier, nor would they to its couriers.",
    ),
    AccountRefusal.NOT_STAFF: Text("角色不正确。", "Not a role of staff."),
}


class StaffNew(Input):
    """carrier: whom a courier works for; left out for everybody else."""

    username: Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{2,63}$")]
    password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
    role: Literal["courier", "reviewer", "operator"]
    carrier: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] | None = None


class StaffOut(Output):
    staff_id: str
    username: str
    role: str
    carrier: str | None


class StaffPath(Input):
    staff_id: Annotated[str, Field(pattern=r"^stf_[0-9a-f]{24}$")]


class StaffEnded(Output):
    staff_id: str
    disabled: bool


@operation(
    summary="Make an account of staff",
    right=(Resource.STAFF, Action.CREATE),
    body=StaffNew,
    returns={201: StaffOut},
    idempotent=True,
    problems=(ACCOUNT_REFUSED, NAME_TAKEN, BUSY),
)
async def create_staff(request: web.Request, body: StaffNew) -> Reply:
    services = request.app[SERVICES]
    if body.carrier not in (None, services.logistics.shipping.carrier):
        raise _refused(AccountRefusal.CARRIER_UNKNOWN)
    new = NewAccount(body.username, body.password, Role(body.role), body.carrier)
    try:
        async with services.sessions.begin() as session:
            made = await services.staff.create(session, new)
    except PasswordsBusy:
        raise ProblemRaised(BUSY, retry_after_s=1) from None
    if made is AccountRefusal.NAME_TAKEN:
        raise ProblemRaised(NAME_TAKEN)
    if isinstance(made, AccountRefusal):
        raise _refused(made)
    return Reply(201, StaffOut(staff_id=made, username=new.username, role=new.role, carrier=new.carrier))


@operation(
    summary="End an account of staff",
    right=(Resource.STAFF, Action.CHANGE),
    path=StaffPath,
    returns={200: StaffEnded},
    problems=(OWN_ACCOUNT,),
)
async def end_staff(request: web.Request, path: StaffPath) -> Reply:
    """The account's tokens stop working within a second. Nobody can end their own.

    A courier's parcels are open to every courier of the carrier from then on.
    """
    if staff_member(request).id == path.staff_id:
        raise ProblemRaised(OWN_ACCOUNT)
    services = request.app[SERVICES]
    async with services.sessions.begin() as session:
        ended = await services.staff.disable(session, StaffId(path.staff_id))
        known = await session.get(StaffRow, path.staff_id) is not None
        await services.families.end_all(session, path.staff_id, "disabled")
    if not ended and not known:
        raise ProblemRaised(NOT_FOUND)
    services.tokens.revocations.forget()
    return Reply(200, StaffEnded(staff_id=path.staff_id, disabled=True))


def _refused(refusal: AccountRefusal) -> ProblemRaised:
    return ProblemRaised(ACCOUNT_REFUSED, detail=_ACCOUNT_TEXTS[refusal], refusal=refusal)


ROUTES = (
    web.post("/v1/operator/staff", create_staff),
    web.post("/v1/operator/staff/{staff_id}/end", end_staff),
)
