import pytest

from app.studio import StudioInProduction, refuse_in_production


@pytest.mark.parametrize("mode", ["production", "Production", " production "])
def test_production_refuses_the_studio(mode: str) -> None:
    with pytest.raises(StudioInProduction):
        refuse_in_production(mode)


@pytest.mark.parametrize("mode", ["sandbox", "development", ""])
def test_other_modes_may_have_it(mode: str) -> None:
    refuse_in_production(mode)
