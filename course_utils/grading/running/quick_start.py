"""A pytest plugin to be loaded first: keeps a slow and unneeded import out of the others.

jsonschema, which nbformat loads, tries an optional grammar of web addresses. Loading that takes
longer than all the rest of nbval's start, and no notebook's schema asks for it.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)
