"""What an adapter must keep to, as tests that its own tests inherit."""

from __future__ import annotations

from tracesplice_testing.contract._callers import Callers
from tracesplice_testing.contract._counting import Counting
from tracesplice_testing.contract._parents import Parents
from tracesplice_testing.contract._promises import PROMISES
from tracesplice_testing.contract._reach import Reach
from tracesplice_testing.contract._splicing import Splicing

__all__ = ["PROMISES", "AdapterContract"]


class AdapterContract(Splicing, Reach, Parents, Callers, Counting):
    """The tests of every adapter, by the numbered list of docs/adapters.md.

    Inherit it in a class whose name begins with `Test`, and fill in `make` and `call`. What else is
    filled in (`stream`, `acall`, `astream`, `call_with`, `move`, `derive`, `package`) is tested as
    well; the tests of what is left out are skipped, with the name of what they need.

    The tests run in one process, on a stand-in for a gateway and a recorder in Langfuse's place.
    A failure names the promise that is broken.
    """
