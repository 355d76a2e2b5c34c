"""Trees are made one at a time."""

import ast
import gc
import sys
import threading

import pytest

from course_utils.grading import syntax

SOURCE = "x = (1 + (2 * (3 - 4)))\nfor a in [1, 2, 3]:\n    print(a, [b for b in 'abc'])\n" * 20


@pytest.fixture
def a_change_of_threads_at_any_object():
    """Garbage is looked for all the time, by Python, where the interpreter may change threads."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def of_python(*_):
        return sum(range(3))

    gc.callbacks.append(of_python)
    gc.set_threshold(1, 1, 1000)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.callbacks.remove(of_python)


def test_many_threads_parse_at_once(a_change_of_threads_at_any_object):
    found = []

    def parse(deep: int) -> None:
        if deep:
            return parse(deep - 1)
        for _ in range(40):
            try:
                found.append(ast.dump(syntax.tree(SOURCE)))
            except SystemError as error:
                found.append(str(error))

    threads = [threading.Thread(target=parse, args=(3 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ast.dump(ast.parse(SOURCE))] * 160


def test_after_an_error_the_next_is_parsed():
    for _ in range(2):
        with pytest.raises(SyntaxError):
            syntax.tree("x =")
        with pytest.raises((RecursionError, MemoryError)):
            syntax.tree("(" * 100 + "+0" * 200_000 + ")" * 100)
        assert ast.unparse(syntax.tree("x=1")) == "x = 1"
