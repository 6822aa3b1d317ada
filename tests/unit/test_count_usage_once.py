"""What ``count_usage_once`` takes, and what a fault in it costs."""

from __future__ import annotations

from typing import Any

import pytest

import tracesplice
from tracesplice import TracespliceError, _usage
from tracesplice._calls import calls
from unit.masking import LLM, TRACE, applied, chain

pytestmark = pytest.mark.usefixtures("nothing_reported")


class TestOwner:
    def test_the_client_s_figures_may_count(self) -> None:
        calls.answered([(TRACE, "a")], True)
        assert tracesplice.count_usage_once(owner="client")(params=chain(LLM).params) is None

    @pytest.mark.parametrize("owner", ["nobody", None, "", [], "Gateway"])
    def test_any_other_is_refused(self, owner: Any) -> None:
        with pytest.raises(TracespliceError, match=r"count_usage_once\(owner=\"client\"\)"):
            tracesplice.count_usage_once(owner=owner)

    @pytest.mark.parametrize("then", ["mask", 1, {}])
    def test_a_mask_that_is_no_function_is_refused(self, then: Any) -> None:
        with pytest.raises(TracespliceError, match=r"count_usage_once\(then=my_mask\)"):
            tracesplice.count_usage_once(then=then)


class TestFaults:
    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch: pytest.MonkeyPatch, nothing_reported: None) -> None:
        def fail(*_: object) -> Any:
            raise RuntimeError("ours")

        monkeypatch.setattr(_usage, "settle", fail)
        calls.answered([(TRACE, "a")], True)

    @pytest.mark.usefixtures("lenient")
    def test_one_of_ours_leaves_the_batch_as_it_was(self, caplog: pytest.LogCaptureFixture) -> None:
        batch = chain(LLM)
        for _ in range(2):
            assert applied(tracesplice.count_usage_once(), batch) == batch.attributes
        [record] = caplog.records
        assert "may count twice" in record.getMessage()

    @pytest.mark.usefixtures("lenient")
    def test_the_user_s_mask_still_runs(self) -> None:
        seen: list[Any] = []
        batch = chain(LLM)
        params = batch.params
        mask = tracesplice.count_usage_once(then=lambda *, params: seen.append(params))
        mask(params=params)
        assert seen == [params]

    def test_it_is_raised_under_test(self) -> None:
        with pytest.raises(RuntimeError, match="ours"):
            tracesplice.count_usage_once()(params=chain(LLM).params)
