"""The eight genres: what each one is, for a listener and for the synthesiser."""

from synthesis.music.genres import (
    electronic,
    experimental,
    folk,
    hip_hop,
    instrumental,
    international,
    pop,
    rock,
)
from synthesis.music.styles import Style

# In the order that scikit-learn's LabelEncoder gives them.
STYLES: dict[str, tuple[Style, ...]] = {
    "Electronic": electronic.STYLES,
    "Experimental": experimental.STYLES,
    "Folk": folk.STYLES,
    "Hip-Hop": hip_hop.STYLES,
    "Instrumental": instrumental.STYLES,
    "International": international.STYLES,
    "Pop": pop.STYLES,
    "Rock": rock.STYLES,
}
