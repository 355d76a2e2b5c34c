r"""From a piece of music to what a genre model sees: three front ends with one interface.

:class:`RawWindows` cuts samples, :class:`MelImages` draws pictures, :class:`EngineeredFeatures`
computes numbers that people have found telling. Each has ``sample_rate`` (Hz), ``seconds`` (length
of one window), ``shape`` (of what one window becomes) and ``settings`` (for JSON), and called with
a mono sound of its rate it gives float32 of shape (windows, \*shape). All are NumPy and SciPy;
nothing of a window depends on other windows or on other clips.
"""

from collections.abc import Mapping

from course_utils.features.music.engineered import EngineeredFeatures
from course_utils.features.music.mel_images import MelImages
from course_utils.features.music.windows import RawWindows

__all__ = ["EngineeredFeatures", "FrontEnd", "MelImages", "RawWindows", "from_settings"]

FrontEnd = RawWindows | MelImages | EngineeredFeatures

_KINDS = {kind.KIND: kind for kind in (RawWindows, MelImages, EngineeredFeatures)}


def from_settings(settings: Mapping[str, object]) -> FrontEnd:
    """The front end that has these settings.

    Parameters
    ----------
    settings : mapping
        What the property ``settings`` of a front end gave, also after a way through JSON.

    Raises
    ------
    ValueError
        If there is no such kind, or its settings are others or impossible.
    """
    values = dict(settings)
    kind = values.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(
            f"Found a front end of kind {kind!r}; expected one of {', '.join(_KINDS)}; give the"
            " settings of one."
        )
    try:
        return _KINDS[kind](**values)
    except TypeError as error:
        raise ValueError(
            f"Found the settings {', '.join(values) or 'none'} for {kind}; expected those that its"
            " front end gives; take them from there."
        ) from error
