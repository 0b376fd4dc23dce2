import zxingcpp

from activation.ids import Iccid
from app.studio import draw_sim_carrier, fictional_iccid
from tests.app.studio.conftest import Reader

URL = "https://localhost:8443/activate#ABCD-EFGH"


def codes(picture: object) -> set[str]:
    return {code.text for code in zxingcpp.read_barcodes(picture)}


def test_bars_digits_and_qr_say_the_same(read: Reader) -> None:
    iccid = fictional_iccid(77)
    card = draw_sim_carrier(iccid, URL)
    assert codes(card) == {iccid, URL}
    assert any(iccid in line for line in read(card))


def test_nineteen_digits_too() -> None:
    iccid = Iccid("8999900000000000014")
    assert codes(draw_sim_carrier(iccid)) == {iccid}


def test_each_seed_has_its_own_iccid() -> None:
    assert len({fictional_iccid(seed) for seed in range(50)}) == 50
